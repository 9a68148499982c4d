/** A link that carries a policy and its assertions in its fragment, which no server ever sees. */

export interface SharedPolicy {
  readonly xml: string;
  readonly assertions: string;
}

const KEY = 'policy=';
/** A fragment from elsewhere may hold anything: it is unpacked up to this many characters. */
const MAX_LENGTH = 1 << 21;

export async function shareLink(policy: SharedPolicy, base: string): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify([policy.xml, policy.assertions]));
  const packed = await pass(bytes, new CompressionStream('deflate-raw'), Number.POSITIVE_INFINITY);
  const text = btoa(Array.from(packed, (byte) => String.fromCharCode(byte)).join(''));
  const url = new URL(base);
  url.hash = `${KEY}${text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`;
  return url.href;
}

export function isShared(fragment: string): boolean {
  return fragment.replace(/^#/, '').startsWith(KEY);
}

/** Undefined: there is none, or it is damaged. */
export async function readShared(fragment: string): Promise<SharedPolicy | undefined> {
  if (!isShared(fragment)) return undefined;
  try {
    const text = fragment.replace(/^#/, '').slice(KEY.length).replaceAll('-', '+').replaceAll('_', '/');
    const packed = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    const bytes = await pass(packed, new DecompressionStream('deflate-raw'), MAX_LENGTH);
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (!Array.isArray(value)) return undefined;
    const [xml, assertions] = value as unknown[];
    return typeof xml === 'string' && typeof assertions === 'string' ? { xml, assertions } : undefined;
  } catch {
    // Whatever it is, it is no link of ours.
    return undefined;
  }
}

/** Throws RangeError beyond the limit. */
async function pass(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
  limit: number,
): Promise<Uint8Array> {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const part = next.value as Uint8Array;
    length += part.length;
    if (length > limit) {
      await reader.cancel();
      throw new RangeError('too long');
    }
    parts.push(part);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
