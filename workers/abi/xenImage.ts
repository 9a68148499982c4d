/**
 * The file that stands for a compiled hypervisor: a multiboot header, by which the boot loader knows it, and the options
 * that it was built with, by which the machine knows what to start.
 */

export interface XenBuild {
  /** Built with XSM_ENABLE and ACM_SECURITY. */
  readonly acm: boolean;
}

const OPTIONS_AT = 2048;
const MARK = 'XEN-BUILD:';

export function xenImage({ acm }: XenBuild): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  const magic = 0x1bad_b002;
  const flags = 0x3;
  view.setUint32(0, 0x464c_457f, true);
  view.setUint32(1024, magic, true);
  view.setUint32(1028, flags, true);
  view.setUint32(1032, -(magic + flags) >>> 0, true);
  bytes.set(new TextEncoder().encode(`${MARK}${acm ? ' XSM_ENABLE=y ACM_SECURITY=y' : ''}\n`), OPTIONS_AT);
  return bytes;
}

/** How an image was built; one without a mark was built with the defaults. */
export function readXenBuild(image: Uint8Array): XenBuild {
  const text = new TextDecoder().decode(image.subarray(OPTIONS_AT, OPTIONS_AT + 256));
  const line = text.startsWith(MARK) ? text.slice(MARK.length, text.indexOf('\n')).split(' ') : [];
  return { acm: line.includes('XSM_ENABLE=y') && line.includes('ACM_SECURITY=y') };
}
