/**
 * The text format of golden transcripts.
 *
 *     # A comment, at the beginning of a line before a command.
 *     dom0# xm domid ramdisk
 *     1
 *     dom0# xm domid nosuch
 *     Error: Domain 'nosuch' does not exist.
 *     status 3
 *
 * A line that begins with `dom0# ` is typed into a root login shell of its own; on its host everything else persists.
 * What follows, to the next such line or comment, is what it prints, standard output and standard error as they come;
 * `status N` at the end is its exit status when that is not 0. Output that itself begins a line with `#` is written `\#`.
 *
 * What differs from run to run, or does not matter, stands as `{n}` (a number with the blanks before it), `{…}` (anything up to
 * the end of the line), or `{…}` alone on its line (any number of lines). `UPDATE=1 npx vitest run workers/machine/transcripts`
 * puts the real output in place of what was wrong; the difference is for reading.
 */

export interface TranscriptEntry {
  /** Comments and empty lines before it. */
  readonly lead: string;
  /** Undefined for a comment at the end of the file. */
  readonly command: string | undefined;
  readonly expected: string;
}

const PROMPT = 'dom0# ';

export function parseTranscript(text: string): readonly TranscriptEntry[] {
  const entries: { lead: string; command: string | undefined; expected: string }[] = [];
  let lead = '';
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const last = entries.at(-1);
    if (line.startsWith('#') || (lead !== '' && !line.startsWith(PROMPT)) || (!last && line === ''))
      lead += `${line}\n`;
    else if (line.startsWith(PROMPT)) {
      entries.push({ lead, command: line.slice(PROMPT.length), expected: '' });
      lead = '';
    } else if (last) last.expected += `${line}\n`;
    else throw new Error(`a transcript begins with a comment or a command, not with: ${line}`);
  }
  if (lead !== '') entries.push({ lead, command: undefined, expected: '' });
  return entries;
}

/** What a command printed and how it ended, as a transcript shows it. */
export function answerText({ status, output }: { readonly status: number; readonly output: string }): string {
  const whole = output === '' || output.endsWith('\n') ? output : `${output}\n`;
  return whole.replace(/^#/gm, '\\#').replace(/^dom0# /gm, '\\dom0# ') + (status === 0 ? '' : `status ${status}\n`);
}

export function matches(expected: string, answer: string): boolean {
  const pattern = expected
    .split('\n')
    .map((line) =>
      line === '{…}'
        ? '(?:.*\n)*?'
        : `${line
            .split(/(\{…\}|\{n\})/)
            .map((part) => (part === '{…}' ? '.*' : part === '{n}' ? ' *-?\\d+(?:\\.\\d+)?' : escaped(part)))
            .join('')}\n`,
    )
    .join('');
  return new RegExp(`^${pattern.replace(/\n$/, '')}$`).test(answer);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
