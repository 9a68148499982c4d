/** A result that crosses Comlink: thrown classes would arrive as bare Errors, so failures travel as data. */
export interface LabError {
  /** An errno name, a xend error class name, or `internal`. */
  readonly code: string;
  readonly message: string;
}

export type LabResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: LabError };
