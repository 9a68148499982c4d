/** Reads what stands at a shell prompt on the screen, so that the home panel can see what was typed by hand. */

/** The command on a line that shows a shell prompt (`… # command` or `… $ command`); undefined without a prompt. */
export function commandAtPrompt(line: string): string | undefined {
  const match = /^[^#$]*[#$] (.*)$/.exec(line);
  const command = match?.[1]?.trim();
  return command ? command : undefined;
}

/** True when the line is a prompt that waits for a command, and nothing is typed yet. */
export function isEmptyPrompt(line: string): boolean {
  return /^[^#$]*[#$]\s*$/.test(line) && line.trim() !== '';
}
