/** Something wrong in a text; lines and columns count from 1, the end is exclusive. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly message: string;
  readonly severity: 'error' | 'warning';
}

/** Turns offsets of a text into lines and columns. */
export class LineIndex {
  private readonly starts: number[] = [0];

  constructor(readonly text: string) {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.starts.push(at + 1);
  }

  lineAt(offset: number): number {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  lineText(line: number): string {
    const start = this.starts[line - 1] ?? 0;
    const end = this.starts[line] ?? this.text.length + 1;
    return this.text.slice(start, end - 1);
  }

  problem(from: number, to: number, message: string, severity: Problem['severity'] = 'error'): Problem {
    const line = this.lineAt(from);
    const endLine = this.lineAt(Math.max(from, to));
    return {
      line,
      column: from - this.starts[line - 1]! + 1,
      endLine,
      endColumn: Math.max(from + 1, to) - this.starts[endLine - 1]! + 1,
      message,
      severity,
    };
  }
}
