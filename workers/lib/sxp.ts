/** S-expressions as xend reads and prints them; text rules in parse and print below. Atoms are strings. */
export type Sxp = string | readonly Sxp[];
