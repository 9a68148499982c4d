/** What xend refuses, as errors whose `message` the operator reads after `Error: ` (xend/XendError.py in Xen 3.4). */
import { errno, strerror, XenError } from '../lib/errno';

export class XendError extends Error {
  override readonly name: string = 'XendError';
  /** The security policy refuses it. */
  isByPolicy = false;
}

/** Fault 3: xm says that the domain does not exist and exits with status 3. */
export class XendInvalidDomain extends XendError {
  override readonly name = 'XendInvalidDomain';
  constructor(readonly domain: string) {
    super(`Domain '${domain}' does not exist.`);
  }
}

/** A domain that cannot be built, changed or started as asked. */
export class VmError extends XendError {
  override readonly name: string = 'VmError';
}

/** A configuration that contradicts itself. */
export class XendConfigError extends XendError {
  override readonly name = 'XendConfigError';
}

/** A refusal of the hypervisor as Python prints it: `(22, 'Invalid argument')`. */
export function xcText(error: XenError): string {
  return `(${errno[error.code]}, '${strerror[error.code]}')`;
}

/** Text of whatever was thrown, for a log. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Errors of the hypervisor become xend's; anything unexpected stays what it is. */
export function asXendError(error: unknown): unknown {
  return error instanceof XenError ? new XendError(xcText(error)) : error;
}

/**
 * A refusal of the security tools. The operator reads it as Python shows a string, in quotes; `details` follow on lines of
 * their own.
 */
export class XsmError extends XendError {
  override readonly name: string = 'XsmError';
  constructor(
    readonly text: string,
    readonly details: readonly string[] = [],
  ) {
    super(pythonRepr(text));
  }
}

/** One that is raised in xend itself, where the list of labels and those of domains and resources are: usage follows it. */
export class XsmFault extends XsmError {
  override readonly name = 'XsmFault';
}

/** A string as Python's repr shows it: single quotes, unless only double ones need no backslash. */
export function pythonRepr(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  if (!text.includes("'")) return `'${escaped}'`;
  return text.includes('"') ? `'${escaped.replaceAll("'", "\\'")}'` : `"${escaped}"`;
}
