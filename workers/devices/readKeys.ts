/** Reads several keys of a directory of the store, and tells all the answers at once. */
import type { KernelServices } from '../guest/services';

export function readKeys<K extends string>(
  services: Pick<KernelServices, 'xenbus'>,
  path: string,
  keys: readonly K[],
  done: (values: Readonly<Record<K, string | undefined>>) => void,
): void {
  const values = {} as Record<K, string | undefined>;
  let missing = keys.length;
  for (const key of keys) {
    services.xenbus.read(`${path}/${key}`, (value) => {
      values[key] = value;
      if (--missing === 0) done(values);
    });
  }
}

/** A number as drivers read it from the store (`%u`); undefined when it is not one. */
export function parseUnsigned(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
