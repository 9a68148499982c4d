/**
 * Names and numbers of virtual block devices: `sda1` ↔ 2049, `hda` ↔ 768, `xvda` ↔ 51712 (Linux' major·256 + minor), and
 * xvdq and later in the extended range 2^28 + 256·n + partition (tools/python/xen/util/blkif.py, drivers/xen/blkfront).
 */
const IDE_MAJORS = [3, 22, 33, 34, 56, 57, 88, 89, 90, 91];
const SCSI_MAJORS = [8, 65, 66, 67, 68, 69, 70, 71, 128, 129, 130, 131, 132, 133, 134, 135];
const XVD_MAJOR = 202;
const EXTENDED = 2 ** 28;

/** `a` → 0 … `z` → 25, `aa` → 26 … */
function letterIndex(letters: string): number {
  let index = 0;
  for (const letter of letters) index = index * 26 + letter.charCodeAt(0) - 96;
  return index - 1;
}

function indexLetters(index: number): string {
  const last = String.fromCharCode(97 + (index % 26));
  return index < 26 ? last : indexLetters(Math.floor(index / 26) - 1) + last;
}

/** The number for a name like `hda1`, `xvda`, a decimal or a 0x number; undefined when it names no block device. */
export function deviceNumber(name: string): number | undefined {
  const text = name.replace(/^\/dev\//, '');
  if (/^(0x[0-9a-f]+|0[0-7]*|[1-9]\d*)$/i.test(text))
    return /^0[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number(text);
  const match = /^(hd|sd|xvd)([a-z]{1,2})([1-9]\d*)?$/.exec(text);
  if (!match) return undefined;
  const index = letterIndex(match[2]!);
  const partition = Number(match[3] ?? 0);
  if (match[1] === 'hd') {
    const major = IDE_MAJORS[index >> 1];
    return major === undefined || partition > 63 ? undefined : major * 256 + 64 * (index & 1) + partition;
  }
  if (match[1] === 'sd') {
    const major = SCSI_MAJORS[index >> 4];
    return major === undefined || partition > 15 ? undefined : major * 256 + 16 * (index & 15) + partition;
  }
  if (partition > (index < 16 ? 15 : 255)) return undefined;
  return index < 16 ? XVD_MAJOR * 256 + 16 * index + partition : EXTENDED + 256 * index + partition;
}

/** What a guest calls the device with this number: kernel name, major and minor. */
export function deviceName(number: number): { name: string; major: number; minor: number } | undefined {
  if (number >= EXTENDED) {
    const minor = number - EXTENDED;
    return { name: named('xvd', minor >> 8, minor & 255), major: XVD_MAJOR, minor };
  }
  const major = number >> 8;
  const minor = number & 255;
  if (major === XVD_MAJOR) return { name: named('xvd', minor >> 4, minor & 15), major, minor };
  const ide = IDE_MAJORS.indexOf(major);
  if (ide >= 0 && minor < 128) return { name: named('hd', 2 * ide + (minor >> 6), minor & 63), major, minor };
  const scsi = SCSI_MAJORS.indexOf(major);
  if (scsi >= 0) return { name: named('sd', 16 * scsi + (minor >> 4), minor & 15), major, minor };
  return undefined;
}

function named(prefix: string, index: number, partition: number): string {
  return `${prefix}${indexLetters(index)}${partition === 0 ? '' : partition}`;
}
