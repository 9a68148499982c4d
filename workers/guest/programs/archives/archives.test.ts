import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { testKernel } from '../../testing';
import { filePrograms } from '../files/index';
import { textPrograms } from '../text/index';
import { digestHex, startDigest, updateDigest } from './digestMath';
import { archivePrograms } from './index';

it('sums are those of Node, whatever the pieces', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('md5', 'sha1', 'sha256'),
      fc.array(fc.uint8Array({ maxLength: 200 })),
      (kind, pieces) => {
        const digest = startDigest(kind as 'md5');
        const hash = createHash(kind);
        for (const piece of pieces) {
          updateDigest(digest, piece);
          hash.update(piece);
        }
        expect(digestHex(digest)).toBe(hash.digest('hex'));
      },
    ),
  );
});

it('tar unpacks what it packed, names longer than a header too', () => {
  const machine = testKernel([...archivePrograms, ...filePrograms, ...textPrograms]);
  const long = 'n'.repeat(120);
  machine.run(['mkdir', '-p', '/tmp/d', '/tmp/o']);
  machine.run(['tee', `/tmp/d/${long}`], { stdin: 'content' });
  machine.run(['ln', '-s', long, '/tmp/d/l']);
  expect(machine.run(['tar', 'czf', '/tmp/x.tgz', '-C', '/tmp', 'd'])).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(machine.run(['tar', 'xzf', '/tmp/x.tgz', '-C', '/tmp/o']).status).toBe(0);
  expect(machine.run(['cat', '/tmp/o/d/l']).stdout).toBe('content');
});

it('gunzip leaves a file that is no archive alone', () => {
  const machine = testKernel([...archivePrograms, ...textPrograms]);
  machine.run(['tee', '/tmp/f.gz'], { stdin: 'plain' });
  expect(machine.run(['gunzip', '/tmp/f.gz'])).toMatchObject({
    status: 1,
    stderr: '\ngunzip: /tmp/f.gz: not in gzip format\n',
  });
  expect(machine.run(['cat', '/tmp/f.gz']).stdout).toBe('plain');
});
