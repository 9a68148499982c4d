/**
 * The ACPI tables of a translated domain: enough for its kernel to know that it has local interrupts, no chipset, and how
 * to switch itself off (what tools/libacpi builds for PVH domains in Xen 4; layouts: ACPI specification 6.0, chapter 5).
 */

/** Writing 0x34 to the first port means S5; the second is the status. The emulated processor knows both. */
const SLEEP_CONTROL_PORT = 0x604;
const SLEEP_STATUS_PORT = 0x605;

const HEADER_SIZE = 36;
const RSDP_SIZE = 36;
const FADT_SIZE = 276;
const LOCAL_APIC_ADDRESS = 0xfee0_0000;
const FADT_HARDWARE_REDUCED = 1 << 20;
/** 8042 keyboard controller present (bit 1), no VGA (2), no CMOS clock (5). */
const FADT_BOOT_ARCH = 0x02 | 0x04 | 0x20;
const SYSTEM_IO = 1;
/** Name(_S5_, Package(4) {5, 0, 0, 0}) in AML. */
const S5_PACKAGE = [0x08, 0x5f, 0x53, 0x35, 0x5f, 0x12, 0x07, 0x04, 0x0a, 0x05, 0x00, 0x00, 0x00];

/** All tables, to be put at physical address `base`; the RSDP comes first. */
export function acpiTables(base: number): Uint8Array {
  const dsdtAt = base + 64;
  const dsdt = table('DSDT', 2, Uint8Array.from(S5_PACKAGE));
  const fadtAt = align(dsdtAt + dsdt.length);
  const fadt = fixedTable(dsdtAt);
  const madtAt = align(fadtAt + fadt.length);
  const madt = table('APIC', 3, interrupts());
  const xsdtAt = align(madtAt + madt.length);
  const pointers = new DataView(new ArrayBuffer(16));
  pointers.setBigUint64(0, BigInt(fadtAt), true);
  pointers.setBigUint64(8, BigInt(madtAt), true);
  const xsdt = table('XSDT', 1, new Uint8Array(pointers.buffer));
  const whole = new Uint8Array(xsdtAt + xsdt.length - base);
  whole.set(rootPointer(xsdtAt), 0);
  whole.set(dsdt, dsdtAt - base);
  whole.set(fadt, fadtAt - base);
  whole.set(madt, madtAt - base);
  whole.set(xsdt, xsdtAt - base);
  return whole;
}

function rootPointer(xsdtAt: number): Uint8Array {
  const bytes = new Uint8Array(RSDP_SIZE);
  const view = new DataView(bytes.buffer);
  putText(bytes, 0, 'RSD PTR ');
  putText(bytes, 9, 'Xen   ');
  bytes[15] = 2;
  view.setUint32(20, RSDP_SIZE, true);
  view.setBigUint64(24, BigInt(xsdtAt), true);
  bytes[8] = checksum(bytes.subarray(0, 20));
  bytes[32] = checksum(bytes);
  return bytes;
}

function fixedTable(dsdtAt: number): Uint8Array {
  const body = new Uint8Array(FADT_SIZE - HEADER_SIZE);
  const view = new DataView(body.buffer);
  const at = (offset: number) => offset - HEADER_SIZE;
  view.setUint32(at(40), dsdtAt, true);
  view.setUint16(at(109), FADT_BOOT_ARCH, true);
  view.setUint32(at(112), FADT_HARDWARE_REDUCED, true);
  view.setBigUint64(at(140), BigInt(dsdtAt), true);
  for (const [offset, port] of [
    [244, SLEEP_CONTROL_PORT],
    [256, SLEEP_STATUS_PORT],
  ] as const) {
    view.setUint8(at(offset), SYSTEM_IO);
    view.setUint8(at(offset + 1), 8);
    view.setUint8(at(offset + 3), 1);
    view.setBigUint64(at(offset + 4), BigInt(port), true);
  }
  return table('FACP', 6, body);
}

/** One processor with a local APIC; the other vcpus of a domain do not exist for its kernel. */
function interrupts(): Uint8Array {
  const body = new Uint8Array(16);
  const view = new DataView(body.buffer);
  view.setUint32(0, LOCAL_APIC_ADDRESS, true);
  view.setUint8(9, 8);
  view.setUint32(12, 1, true);
  return body;
}

function table(signature: string, revision: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_SIZE + body.length);
  const view = new DataView(bytes.buffer);
  putText(bytes, 0, signature);
  view.setUint32(4, bytes.length, true);
  bytes[8] = revision;
  putText(bytes, 10, 'Xen   HVM     ');
  putText(bytes, 28, 'HVML');
  bytes.set(body, HEADER_SIZE);
  bytes[9] = checksum(bytes);
  return bytes;
}

function checksum(bytes: Uint8Array): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}

function putText(bytes: Uint8Array, at: number, text: string): void {
  bytes.set(new TextEncoder().encode(text), at);
}

function align(address: number): number {
  return Math.ceil(address / 16) * 16;
}
