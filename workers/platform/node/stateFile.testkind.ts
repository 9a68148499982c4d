/**
 * A second reader of state files, for tests: written from the description of the format alone, sharing nothing with the
 * code that writes them. Strict: what is not described is an error.
 */

/** Where a part of the file begins. */
export interface Part {
  readonly name: string;
  readonly at: number;
}

export interface StateFile {
  readonly config: string;
  readonly p2mSize: number;
  readonly kind: 'pv' | 'hvm';
  /** The last contents of each guest frame, and where they stand in the file. */
  readonly pages: ReadonlyMap<number, { readonly bytes: Uint8Array; readonly at: number }>;
  /** Announced with type 0xF: no memory there. */
  readonly absent: ReadonlySet<number>;
  readonly types: ReadonlyMap<number, number>;
  readonly vcpuMap: bigint;
  readonly p2mFrames: readonly number[];
  readonly notInMap: readonly number[];
  readonly contexts: readonly Uint8Array[];
  readonly sharedInfo: Uint8Array | undefined;
  readonly storePfn: number | undefined;
  readonly consolePfn: number | undefined;
  /** HVM context: type, instance, bytes. */
  readonly records: readonly { readonly type: number; readonly instance: number; readonly bytes: Uint8Array }[];
  readonly parts: readonly Part[];
}

class Cursor {
  at = 0;
  readonly parts: Part[] = [];
  readonly #view: DataView;

  constructor(readonly file: Uint8Array) {
    this.#view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  }

  part(name: string): void {
    this.parts.push({ name, at: this.at });
  }

  bytes(length: number): Uint8Array {
    if (this.at + length > this.file.length)
      throw new Error(`the file ends at ${this.file.length}, not ${this.at + length}`);
    this.at += length;
    return this.file.subarray(this.at - length, this.at);
  }

  text(length: number): string {
    return new TextDecoder('utf-8', { fatal: true }).decode(this.bytes(length));
  }

  u32(): number {
    this.bytes(4);
    return this.#view.getUint32(this.at - 4, true);
  }

  s32(): number {
    return this.u32() | 0;
  }

  u64(): bigint {
    this.bytes(8);
    return this.#view.getBigUint64(this.at - 8, true);
  }

  expect(name: string, actual: unknown, wanted: unknown): void {
    if (actual !== wanted) throw new Error(`${name} is ${String(actual)}, not ${String(wanted)}`);
  }
}

export function readStateFile(file: Uint8Array): StateFile {
  const from = new Cursor(file);
  from.part('signature');
  from.expect('signature', from.text(16), 'LinuxGuestRecord');
  from.part('length of the configuration');
  const [a, b, c, d] = from.bytes(4);
  from.part('configuration');
  const config = from.text(((a! * 256 + b!) * 256 + c!) * 256 + d!);
  from.part('p2m_size');
  const p2mSize = from.u32();
  let count = from.s32();
  const kind = count === -1 ? 'pv' : 'hvm';
  const p2mFrames: number[] = [];
  if (kind === 'pv') {
    from.part('extended information');
    from.expect('size of the chunks', from.u32(), 2816);
    from.expect('chunk', from.text(4), 'vcpu');
    from.expect('size of a context', from.u32(), 2800);
    from.bytes(2800);
    from.expect('chunk', from.text(4), 'extv');
    from.expect('size of extv', from.u32(), 0);
    from.part('P2M frame list');
    for (let i = 0; i < Math.ceil(p2mSize / 1024); i++) p2mFrames.push(from.u32());
    from.part('first count');
    count = from.s32();
  }
  const pages = new Map<number, { bytes: Uint8Array; at: number }>();
  const absent = new Set<number>();
  const types = new Map<number, number>();
  let vcpuMap: bigint | undefined;
  let consolePfn: number | undefined;
  for (; count !== 0; from.part('count'), count = from.s32()) {
    if (count === -2) {
      const highest = from.s32();
      vcpuMap = from.u64();
      from.expect('highest vcpu', highest, vcpuMap.toString(2).length - 1);
    } else if (count === -8) {
      from.expect('padding', from.u32(), 0);
      consolePfn = Number(from.u64());
    } else if (count > 0 && count <= 1024) readBatch(from, count, p2mSize, pages, absent, types);
    else throw new Error(`chunk ${count}`);
  }
  if (vcpuMap === undefined) throw new Error('no vcpu map');
  const common = { config, p2mSize, kind, pages, absent, types, vcpuMap, p2mFrames, consolePfn } as const;
  const tail = kind === 'pv' ? readPvTail(from, vcpuMap) : readHvmTail(from);
  from.expect('end', from.at, file.length);
  return { ...common, ...tail, parts: from.parts };
}

function readBatch(
  from: Cursor,
  count: number,
  p2mSize: number,
  pages: Map<number, { bytes: Uint8Array; at: number }>,
  absent: Set<number>,
  types: Map<number, number>,
): void {
  from.part('frames');
  const words = Array.from({ length: count }, () => from.u32());
  from.part('contents');
  for (const word of words) {
    const pfn = word % 0x1000_0000;
    const type = (word - pfn) / 0x1000_0000;
    if (pfn >= p2mSize) throw new Error(`frame ${pfn} of ${p2mSize}`);
    types.set(pfn, type);
    if (type === 0xf) absent.add(pfn);
    else {
      absent.delete(pfn);
      pages.set(pfn, { at: from.at, bytes: from.bytes(4096) });
    }
  }
}

function readPvTail(from: Cursor, vcpuMap: bigint) {
  from.part('number of frames not in the map');
  const count = from.u32();
  from.part('frames not in the map');
  const notInMap = Array.from({ length: count }, () => from.u32());
  const contexts: Uint8Array[] = [];
  for (const bit of vcpuMap.toString(2)) {
    if (bit === '0') continue;
    from.part('vcpu context');
    contexts.push(from.bytes(2800));
    from.part('extended vcpu context');
    from.bytes(128);
  }
  from.part('shared_info');
  return { notInMap, contexts, sharedInfo: from.bytes(4096), storePfn: undefined, records: [] };
}

function readHvmTail(from: Cursor) {
  from.part('ioreq frames');
  from.expect('IOREQ_PFN', from.u64(), 0n);
  from.expect('BUFIOREQ_PFN', from.u64(), 0n);
  from.part('store frame');
  const storePfn = Number(from.u64());
  from.part('length of the HVM context');
  const length = from.u32();
  const end = from.at + length;
  const records: { type: number; instance: number; bytes: Uint8Array }[] = [];
  for (let type = -1; type !== 0; ) {
    from.part('HVM record');
    const [low, high, instance, instanceHigh] = from.bytes(4);
    type = low! + 256 * high!;
    records.push({ type, instance: instance! + 256 * instanceHigh!, bytes: from.bytes(from.u32()) });
  }
  from.expect('end of the HVM context', from.at, end);
  return { notInMap: [], contexts: [], sharedInfo: undefined, storePfn, records };
}
