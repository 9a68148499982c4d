/**
 * Turns a script into the body of a class, so that its names are local as they are in xm: a file's names are visible at
 * file level and not inside its functions.
 *
 * Every line gets one tab more, except where that would change a string that goes over several lines.
 */
export function asClassBody(source: string, className: string): string {
  const lines = source.replace(/\r\n?/g, '\n').split('\n');
  const out = [`class ${className}:`];
  let open: string | undefined;
  for (const line of lines) {
    out.push(open === undefined && line.trim() !== '' ? `\t${line}` : line);
    open = stringOpenAfter(line, open);
  }
  out.push('\tpass', '');
  return out.join('\n');
}

/** The quotes of the string that is still open at the end of a line: `'''`, `"""`, or a quote after a backslash. */
function stringOpenAfter(line: string, before: string | undefined): string | undefined {
  let open = before;
  for (let at = 0; at < line.length; ) {
    if (open === undefined) {
      const start = /^('''|"""|'|"|#)/.exec(line.slice(at))?.[1];
      if (start === '#') return undefined;
      if (start !== undefined) open = start;
      at += start?.length ?? 1;
    } else if (line[at] === '\\') at += 2;
    else if (line.startsWith(open, at)) {
      at += open.length;
      open = undefined;
    } else at++;
  }
  if (open === undefined || open.length === 3) return open;
  // A short string goes on only after a backslash at the end of the line.
  return /(^|[^\\])(\\\\)*\\$/.test(line) ? open : undefined;
}
