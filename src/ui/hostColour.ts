/** A colour for each machine of a network, so that tabs side by side are told apart; its name always stands beside it. */

/** As many as theme.css has; a ninth machine looks like the first again. */
const COLOURS = 8;

/** The icon is drawn outside of the page, where no variable is resolved: those of the light theme, under a white cross. */
const iconFills = ['#0a6a80', '#964a00', '#7b3f9d', '#1b7440', '#b02468', '#6a5f00', '#2a55c4', '#55606a'] as const;

/** The number in `host2`; undefined for a name that is not a machine's of this network. */
function numberOf(name: string): number | undefined {
  const number = Number(/^host(\d+)$/.exec(name)?.[1] ?? 0);
  return number > 0 ? number : undefined;
}

/** A CSS value. Whatever is not a machine's name gets the colour of quiet text. */
export function hostColour(name: string): string {
  const number = numberOf(name);
  return number === undefined ? 'var(--muted)' : `var(--host-${((number - 1) % COLOURS) + 1})`;
}

/** The page's icon in the machine's colour. */
export function hostIcon(name: string): string {
  const fill = iconFills[((numberOf(name) ?? 1) - 1) % COLOURS]!;
  const svg =
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>" +
    `<rect width='16' height='16' rx='3' fill='${fill}'/>` +
    "<path d='M4 4l8 8M12 4l-8 8' stroke='white' stroke-width='2' stroke-linecap='round'/></svg>";
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
