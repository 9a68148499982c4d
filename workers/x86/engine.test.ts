import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { AR_DEFAULT_BIG, AR_GRANULARITY, HVM_HW_CPU_SIZE, hvmHwCpu, hvmSegments } from '../abi/hvmSave';
import { wasmHost } from '../platform/wasm';
import type { V86Constructor } from './emulator';
import { Engine, type EngineOwner } from './engine';
import { patchEmulator } from './wasmPatch';

const v86 = dirname(createRequire(import.meta.url).resolve('v86/build/v86.wasm'));
const CODE = 0x10_0000;
const FUNCTION = 0x20_0000;
const REPORT = 17;

/**
 * mov esp, 0x300000; again: mov ecx, 100000; turn: call FUNCTION; dec ecx; jnz turn; mov ebx, eax; mov eax, REPORT; vmcall;
 * jmp again
 */
const MAIN = [
  ...[0xbc, 0, 0, 0x30, 0],
  ...[0xb9, 0xa0, 0x86, 0x01, 0],
  ...[0xe8, 0xf1, 0xff, 0x0f, 0],
  ...[0x49, 0x75, 0xf8],
  ...[0x89, 0xc3, 0xb8, REPORT, 0, 0, 0, 0x0f, 0x01, 0xc1],
  ...[0xeb, 0xe7],
];
/** mov eax, VALUE; ret */
const answer = (value: number) => [0xb8, value, 0, 0, 0, 0xc3];

/** Flat 32-bit protected mode at CODE. */
function entry(): Uint8Array {
  const record = new Uint8Array(HVM_HW_CPU_SIZE);
  const view = new DataView(record.buffer);
  view.setUint32(hvmHwCpu.rip, CODE, true);
  view.setUint32(hvmHwCpu.rflags, 2, true);
  view.setUint32(hvmHwCpu.cr0, 0x11, true);
  hvmSegments.forEach((name, i) => {
    view.setUint32(hvmHwCpu.limits + 4 * i, 0xffff_ffff, true);
    const type = name === 'cs' ? 0x9b : name === 'tr' ? 0x8b : 0x93;
    view.setUint32(hvmHwCpu.arbytes + 4 * i, type | AR_DEFAULT_BIG | AR_GRANULARITY, true);
  });
  return record;
}

async function engineWith(owner: Partial<EngineOwner>): Promise<Engine> {
  const { V86 } = (await import(pathToFileURL(join(v86, 'libv86.mjs')).href)) as { V86: V86Constructor };
  const module = await wasmHost.compile(patchEmulator(new Uint8Array(readFileSync(join(v86, 'v86.wasm')))));
  const whole: EngineOwner = {
    sliceStartNs: () => 0,
    hypercall: () => 0,
    cpuid: () => undefined,
    takeVector: () => undefined,
    writeHypercallPage: () => {},
    portWrite: () => {},
    portRead: () => 0xff,
    memoryMoved: () => {},
    randomU32: () => 4,
    ...owner,
  };
  return Engine.create({ V86, module, wasm: wasmHost }, whole, 4 << 20);
}

it('executes the code that a device has put into a page, not what it has translated of that page before', async () => {
  const answers: number[] = [];
  const engine = await engineWith({
    hypercall: (_op, [value]) => {
      answers.push(value!);
      return 0;
    },
  });
  engine.memory.set(MAIN, CODE);
  engine.memory.set(answer(1), FUNCTION);
  engine.load(entry());
  const until = (count: number) => {
    while (answers.length < count) engine.run(1e6);
  };
  until(20);
  expect(answers).toEqual(Array(20).fill(1));
  engine.memory.set(answer(2), FUNCTION);
  engine.forgetCode(FUNCTION / 4096);
  answers.length = 0;
  until(20);
  // The turn of the loop during which it was changed may end with either.
  expect(answers.slice(1)).toEqual(Array(19).fill(2));
});
