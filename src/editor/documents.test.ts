import { beforeEach, describe, expect, it } from 'vitest';
import { FakeLab } from '../worker/fakeLab';
import { isDirty, useDocuments } from './documents';
import { sortEntries } from './fileTree';
import { languageOf } from './language';

const path = '/etc/xen/xmexample1';
let lab: FakeLab;
const documents = () => useDocuments.getState();
const current = () => documents().documents.find((document) => document.path === path)!;

beforeEach(async () => {
  lab = new FakeLab();
  documents().forgetAll();
  await documents().open(lab, { path });
});

describe('an open file', () => {
  it('is written to Domain-0 when it is saved', async () => {
    documents().edit(path, 'memory = 32\n');
    expect(isDirty(current())).toBe(true);
    expect(await documents().save(lab, path)).toBe(true);
    expect(lab.files.get(path)).toBe('memory = 32\n');
    expect(isDirty(current())).toBe(false);
  });

  it('follows a change made in the shell', async () => {
    lab.files.set(path, 'memory = 99\n');
    await documents().refresh(lab, path);
    expect(current().text).toBe('memory = 99\n');
    expect(isDirty(current())).toBe(false);
  });

  it('keeps the text that is being edited, and asks', async () => {
    documents().edit(path, 'mine\n');
    lab.files.set(path, 'theirs\n');
    await documents().refresh(lab, path);
    expect(current()).toMatchObject({ text: 'mine\n', newerText: 'theirs\n' });
    documents().takeNewer(path);
    expect(current()).toMatchObject({ text: 'theirs\n', newerText: undefined });
  });

  it('does not ask after its own save was reported as a change', async () => {
    documents().edit(path, 'mine\n');
    await documents().save(lab, path);
    documents().edit(path, 'mine, and more\n');
    await documents().refresh(lab, path);
    expect(current().newerText).toBeUndefined();
  });

  it('tells vi when it is closed', async () => {
    await documents().open(lab, { path, editId: 7 });
    expect(lab.finishedEdits).toEqual([]);
    documents().close(lab, path);
    expect(lab.finishedEdits).toEqual([7]);
  });
});

it('opens a file that does not exist as a new one', async () => {
  await documents().open(lab, { path: '/etc/xen/new' });
  expect(documents().documents.at(-1)).toMatchObject({ text: '', savedText: undefined });
});

it('lets vi go on when the file is no text', async () => {
  lab.readFile = async () => ({ ok: true, value: Uint8Array.of(0xff, 0xfe, 0x80) });
  await documents().open(lab, { path: '/bin/ls', editId: 3 });
  expect(lab.finishedEdits).toEqual([3]);
  expect(documents().problem).toContain('not text');
});

it.each([
  ['/etc/xen/xmexample1', '', 'xmcfg'],
  ['/etc/xen/auto/web', '', 'xmcfg'],
  ['/root/my', "kernel = '/k'\nmemory = 3\n", 'xmcfg'],
  ['/etc/xen/xend-config.sxp', '', 'sxp'],
  ['/etc/xen/scripts/vif-bridge', '#!/bin/bash\n', 'shell'],
  ['/etc/xen/policies/a.xml', '', 'xml'],
  ['/root/dump', '(domain (domid 1))', 'sxp'],
  ['/var/log/xen/xend.log', '', 'plaintext'],
] as const)('takes %s for %3$s', (file, text, language) => {
  expect(languageOf(file, text)).toBe(language);
});

it('lists directories first', () => {
  const entries = [
    { name: 'b', kind: 'file', size: 1 },
    { name: 'z', kind: 'dir', size: 0 },
    { name: 'B', kind: 'file', size: 1 },
  ] as const;
  expect(sortEntries(entries).map((entry) => entry.name)).toEqual(['z', 'B', 'b']);
});
