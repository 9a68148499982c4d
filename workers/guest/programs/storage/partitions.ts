/** The partition table of a PC disk: four entries in the first sector, further ones in a chain of sectors behind. */

export interface Partition {
  /** 1 … 4 in the table itself, 5 and up in the chain. */
  readonly number: number;
  readonly isActive: boolean;
  /** 0x83 Linux, 0x82 swap, 5 extended. */
  readonly type: number;
  /** First sector, and how many there are. */
  readonly start: number;
  readonly sectors: number;
}

const TABLE_AT = 446;
const ENTRY_SIZE = 16;
const EXTENDED = [0x05, 0x0f, 0x85];

export const isExtended = ({ type }: Partition) => EXTENDED.includes(type);

/** Whether a sector ends as one with a partition table does. */
export const hasSignature = (sector: Uint8Array) => sector[510] === 0x55 && sector[511] === 0xaa;

/** The four entries of a sector that are in use; numbers count from 1, places from `base`. */
export function entriesOf(sector: Uint8Array, base = 0): Partition[] {
  const view = new DataView(sector.buffer, sector.byteOffset, sector.byteLength);
  const entries: Partition[] = [];
  for (let i = 0; i < 4; i++) {
    const at = TABLE_AT + i * ENTRY_SIZE;
    const type = view.getUint8(at + 4);
    const sectors = view.getUint32(at + 12, true);
    if (type === 0 || sectors === 0) continue;
    const start = base + view.getUint32(at + 8, true);
    entries.push({ number: i + 1, isActive: view.getUint8(at) === 0x80, type, start, sectors });
  }
  return entries;
}

const NAMES: Readonly<Record<number, string>> = {
  1: 'FAT12', 4: 'FAT16 <32M', 5: 'Extended', 6: 'FAT16', 7: 'HPFS/NTFS', 11: 'W95 FAT32', 12: 'W95 FAT32 (LBA)', 14: 'W95 FAT16 (LBA)',
  15: "W95 Ext'd (LBA)", 130: 'Linux swap / Solaris', 131: 'Linux', 133: 'Linux extended', 142: 'Linux LVM', 165: 'FreeBSD',
  166: 'OpenBSD', 191: 'Solaris', 238: 'EFI GPT', 253: 'Linux raid autodetect',
}; // biome-ignore format: a table

export const typeName = (type: number) => NAMES[type] ?? 'Unknown';
