/**
 * Golden transcripts: each file of workers/xm/transcripts is a session on a fresh host, replayed and compared to the byte.
 * Those called acm-… run on a host whose Xen has ACM. Their format, and what `UPDATE=1` does, stand in transcript.testkind.ts.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { bootedHost } from '../platform/node/testing';
import { answerText, matches, parseTranscript } from './transcript.testkind';

const folder = fileURLToPath(new URL('../xm/transcripts', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));
const isUpdate = process.env['UPDATE'] === '1';

describe('transcripts', () => {
  it.each(files)(
    '%s',
    async (name) => {
      const path = `${folder}/${basename(name)}`;
      const entries = parseTranscript(readFileSync(path, 'utf8'));
      // A Xen with ACM, which the others do without.
      const machine = await bootedHost({ acm: name.startsWith('acm-') });
      const wrong: { readonly command: string; readonly expected: string; readonly answer: string }[] = [];
      let updated = '';
      try {
        for (const { lead, command, expected } of entries) {
          const answer = command === undefined ? '' : answerText(await machine.exec(command));
          const isRight = matches(expected, answer);
          if (!isRight) wrong.push({ command: command ?? '', expected, answer });
          updated += `${lead}${command === undefined ? '' : `dom0# ${command}\n`}${isRight ? expected : answer}`;
        }
      } finally {
        machine.close();
      }
      expect(machine.bugs).toEqual([]);
      if (isUpdate && wrong.length > 0) writeFileSync(path, updated);
      else
        expect(wrong.map(({ command, answer }) => `dom0# ${command}\n${answer}`).join('')).toBe(
          wrong.map(({ command, expected }) => `dom0# ${command}\n${expected}`).join(''),
        );
    },
    120_000,
  );
});
