/** Checks the strings inside device lists: fields of a disk, keys of a vif, vfb, vtpm, the form of a pci address. */
import { deviceKeys } from '../deviceKeys';
import type { LineIndex, Problem } from './problem';
import type { StringPart, Value } from './readAssignments';
import { text } from './text';

type Mark = (part: StringPart, message: string, severity?: Problem['severity']) => void;

export function checkDevices(index: LineIndex, name: string, list: Value & { kind: 'list' }): readonly Problem[] {
  const problems: Problem[] = [];
  const mark: Mark = (part, message, severity = 'error') =>
    problems.push(index.problem(part.from, part.to, message, severity));
  if (name === 'disk') checkDisks(list.strings, mark);
  else if (name === 'pci') checkPci(list.strings, mark);
  else if (name in deviceKeys) checkPairs(name, list.strings, mark);
  if (name === 'vfb') for (const part of list.strings.slice(1)) mark(part, text.oneVfb, 'warning');
  return problems;
}

const tapTypes = ['aio', 'sync', 'vmdk', 'ram', 'qcow', 'qcow2', 'ioemu', 'tapdisk'];

function checkDisks(parts: readonly StringPart[], mark: Mark): void {
  const seen = new Set<string>();
  for (const part of parts) {
    const fields = part.text.split(',');
    if (fields.length < 3 || fields.length > 5) {
      mark(part, text.diskFields);
      continue;
    }
    const [back, front, mode] = fields as [string, string, string];
    if (fields.some((field) => field !== field.trim())) mark(part, text.diskBlank);
    else if (!['r', 'w', 'w!', 'ro', 'rw'].includes(mode)) mark(part, text.diskMode(mode));
    const device = front
      .trim()
      .replace(/^ioemu:/, '')
      .replace(/:(cdrom|disk)$/, '')
      .replace(/^\/dev\//, '');
    const isEmptyDrive = back.trim() === '' && front.trim().endsWith(':cdrom');
    const type = /^([a-z]\w*):/.exec(back.trim())?.[1];
    if (!type && !isEmptyDrive) mark(part, text.diskBackend);
    const tapType = type === 'tap' ? back.trim().split(':')[1] : undefined;
    if (tapType !== undefined && !tapTypes.includes(tapType)) mark(part, text.diskTap(tapType));
    // A % placeholder is filled in when the file runs.
    if (!/^(hd[a-z]+\d*|sd[a-z]+\d*|xvd[a-z]+\d*|\d+|0x[\da-fA-F]+)$/.test(device) && !device.includes('%')) {
      mark(part, text.diskFront(device));
    } else if (seen.has(device)) mark(part, text.diskTwice(device));
    seen.add(device);
  }
}

function checkPairs(list: string, parts: readonly StringPart[], mark: Mark): void {
  const known = deviceKeys[list] ?? [];
  const macs = new Set<string>();
  for (const part of parts) {
    if (part.text.trim() === '') continue;
    for (const pair of part.text.split(',')) {
      const at = pair.indexOf('=');
      if (at < 0) {
        mark(part, text.pair(pair.trim()));
        continue;
      }
      const key = pair.slice(0, at).trim();
      const value = pair.slice(at + 1).trim();
      if (!known.includes(key)) mark(part, text.unknownKey(key, list));
      if (key === 'mac' && !value.includes('%')) {
        if (!/^[\da-f]{1,2}(:[\da-f]{1,2}){5}$/i.test(value)) mark(part, text.mac);
        else if (macs.has(value.toLowerCase())) mark(part, text.macTwice(value));
        macs.add(value.toLowerCase());
      }
      if (list === 'vtpm' && key === 'instance' && !/^([1-9]\d*|VTPMD)$/.test(value)) mark(part, text.vtpmInstance);
    }
  }
}

/** `,` may stand for the separators of the address; options follow it. */
function checkPci(parts: readonly StringPart[], mark: Mark): void {
  const form =
    /^\s*(?:[\da-f]{1,4}[:,])?[\da-f]{1,2}[:,][\da-f]{1,2}[.,][0-7](?:@[01]?[\da-f])?(?:,(?:msitranslate|power_mgmt)=[01])*\s*$/i;
  for (const part of parts) if (!form.test(part.text)) mark(part, text.pci, 'warning');
}
