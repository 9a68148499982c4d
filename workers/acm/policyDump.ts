/** A binary policy as the low-level policy tool prints it (tools/security/secpol_tool.c in Xen 3.4; spelling as there). */
import { acmPolicyHeader as field } from '../abi/acm';
import { decodePolicy } from './policyBinary';

const NAMES: Readonly<Record<number, string>> = {
  0: 'NULL',
  1: 'CHINESE WALL',
  2: 'SIMPLE TYPE ENFORCEMENT',
};

/** `dom0`: the reference of Domain-0, whose row is marked; undefined marks none. */
export function dumpText(binary: Uint8Array, dom0: number | undefined): string {
  const policy = decodePolicy(binary);
  const view = new DataView(binary.buffer, binary.byteOffset, binary.byteLength);
  const hex = (value: number) => value.toString(16);
  const u32 = (at: number) => view.getUint32(at);
  const component = (code: number, offset: number) =>
    `${NAMES[code] ?? 'UNDEFINED'} (c=${hex(code)}, off=${hex(offset)}).`;
  const [chwall, ste] = [u32(field.primaryOffset), u32(field.secondaryOffset)];
  const cells = (row: ArrayLike<number>) => Array.from(row, (value) => `${hex(value).padStart(2, '0')} `).join('');
  const matrix = (title: string, rows: readonly ArrayLike<number>[], gap: string, marked: number | undefined) =>
    rows
      .map(
        (row, at) => `\n   ${title}${hex(at).padStart(2)}:${gap}${cells(row)}${at === marked ? ' <-- Domain-0' : ''}`,
      )
      .join('');
  const counts = (row: ArrayLike<number> | undefined) => (row ? cells(row) : 'Not Reported!');

  return `
Policy dump:
============
POLICY REFERENCE = ${policy.name}.
PolicyVer = ${hex(u32(field.version))}.
XML Vers. = ${policy.major}.${policy.minor}
Magic     = ${hex(u32(field.magic))}.
Len       = ${hex(u32(field.len))}.
Primary   = ${component(u32(field.primaryCode), chwall)}
Secondary = ${component(u32(field.secondaryCode), ste)}


Chinese Wall policy:
====================
Policy version= ${hex(u32(chwall))}.
Max Types     = ${hex(u32(chwall + 8))}.
Max Ssidrefs  = ${hex(u32(chwall + 12))}.
Max ConfSets  = ${hex(u32(chwall + 16))}.
Ssidrefs Off  = ${hex(u32(chwall + 20))}.
Conflicts Off = ${hex(u32(chwall + 24))}.
Runing T. Off = ${hex(u32(chwall + 28))}.
C. Agg. Off   = ${hex(u32(chwall + 32))}.

SSID To CHWALL-Type matrix:
${matrix('ssidref', policy.chwallRows, '  ', dom0 === undefined ? undefined : dom0 & 0xffff)}

Confict Sets:
${matrix('c-set', policy.conflictSets, '    ', undefined)}

Running
Types:         ${counts(policy.counts?.running)}

Conflict
Aggregate Set: ${counts(policy.counts?.aggregate)}


Simple Type Enforcement policy:
===============================
Policy version= ${hex(u32(ste))}.
Max Types     = ${hex(u32(ste + 8))}.
Max Ssidrefs  = ${hex(u32(ste + 12))}.
Ssidrefs Off  = ${hex(u32(ste + 16))}.

SSID To STE-Type matrix:
${matrix('ssidref', policy.steRows, ' ', dom0 === undefined ? undefined : dom0 >>> 16)}


`;
}
