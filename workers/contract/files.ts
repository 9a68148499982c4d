/** Domain-0's file system as the editor pane sees it. */
export interface FileEntry {
  readonly name: string;
  readonly kind: 'file' | 'dir' | 'symlink' | 'other';
  readonly size: number;
}

/** What is wrong with a domain configuration, found without creating anything (`xm create -n` plus value checks). */
export interface ConfigProblem {
  /** 1-based; 0 when the whole file is meant. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly severity: 'error' | 'warning';
}
