/** Reads what stands at a shell prompt on the screen, so that the home panel can see what was typed by hand. */

/** `[root@host1 ~]# `, the prompt of this machine's shells; whoever leaves a guest's console gets one behind the guest's. */
const bracketed = /^.*\[[^\]\s@]+@([^\]\s]+) [^\]]*\][#$](?: (.*)|\s*)$/;
const plain = /^[^#$]*[#$] (.*)$/;

/** The command on a line that shows a shell prompt (`… # command` or `… $ command`); undefined without a prompt. */
export function commandAtPrompt(line: string): string | undefined {
  const known = bracketed.exec(line);
  const command = (known ? known[2] : plain.exec(line)?.[1])?.trim();
  return command ? command : undefined;
}

/** True when the line ends in a prompt that waits for a command, and nothing is typed yet. */
export function isEmptyPrompt(line: string): boolean {
  const known = bracketed.exec(line);
  if (known) return !known[2]?.trim();
  return /^[^#$]*[#$]\s*$/.test(line) && line.trim() !== '';
}

/** The machine that a prompt names; undefined for a prompt that names none. */
export function hostAtPrompt(line: string): string | undefined {
  return bracketed.exec(line)?.[1];
}
