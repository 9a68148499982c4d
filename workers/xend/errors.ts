/** What xend refuses, as errors whose `message` the operator reads after `Error: ` (xend/XendError.py in Xen 3.4). */
export class XendError extends Error {
  override readonly name: string = 'XendError';
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
