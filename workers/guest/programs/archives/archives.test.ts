import { describe, expect, it } from 'vitest';
import { shell } from '../../shell/index';
import { TestKernel, testKernel } from '../../testing';
import { filePrograms } from '../files/index';
import { textPrograms } from '../text/index';
import { archivePrograms } from './index';

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

describe('tar', () => {
  const machine = testKernel([...archivePrograms, ...filePrograms, ...textPrograms, shell]);
  machine.run('mkdir -p /w/a/b /w/o; cd /w; echo 1 >a/f1; echo 2 >a/b/f2; echo 3 >a/x.txt; touch -t 200611011200 a/f1');
  const table: readonly (readonly [command: string, stdout: string, stderr?: string, status?: number])[] = [
    ['tar cvf x.tar a', 'a/\na/b/\na/b/f2\na/f1\na/x.txt\n'],
    ['tar tf x.tar a/b', 'a/b/\na/b/f2\n'],
    ['tar tvf x.tar a/f1', '-rw-r--r-- root/root         2 2006-11-01 12:00:00 a/f1\n'],
    ['tar tvf x.tar --numeric-owner a/f1', '-rw-r--r-- 0/0               2 2006-11-01 12:00:00 a/f1\n'],
    ["tar cf y.tar --exclude='*.txt' --exclude=b a; tar tf y.tar", 'a/\na/f1\n'],
    ['tar rf y.tar a/x.txt; tar tf y.tar', 'a/\na/f1\na/x.txt\n'],
    ['tar xf x.tar -C o --strip-components=1; ls o', 'b\nf1\nx.txt\n'],
    ['echo a/f1 | tar cf l.tar -T -; tar tf l.tar', 'a/f1\n'],
    ['tar xOf x.tar a/b/f2', '2\n'],
    ['tar czf - a | tar xzf - -C o; cat o/a/f1', '1\n'],
    ['tar xkf l.tar', '', 'tar: a/f1: Cannot open: File exists\ntar: Error exit delayed from previous errors\n', 2],
    ['tar tf nope.tar', '', 'tar: nope.tar: Cannot open: No such file or directory\ntar: Error is not recoverable: exiting now\n', 2],
    ['tar xf x.tar nosuch', '', 'tar: nosuch: Not found in archive\ntar: Error exit delayed from previous errors\n', 2],
    ['tar cf v.tar /w/a/f1; tar tf v.tar', 'w/a/f1\n', "tar: Removing leading `/' from member names\n"],
    ['seq 2000 | gzip >s.gz; gzip -l s.gz | tail -1 | tr -s " " | cut -d" " -f3,5', '8893 s\n'],
    ['seq 2000 | gzip | gunzip | tail -1', '2000\n'],
  ]; // biome-ignore format: a table
  for (const [command, stdout, stderr = '', status = 0] of table) {
    it(command, () => {
      expect(machine.run(command, { cwd: '/w' })).toEqual({ status, stdout, stderr });
    });
  }
});

describe('pipelines go on in a fresh kernel, taken at any moment', () => {
  const programs = [...archivePrograms, ...filePrograms, ...textPrograms, shell];
  const prepare = () => {
    const machine = testKernel(programs);
    machine.run('mkdir -p /w/d; cd /w/d; seq 3000 >big; for i in $(seq 40); do echo $i >f$i; done; echo old >/w/log');
    return machine;
  };
  it.each([
    'cd /w; find / -type f | sort | head -30 >/w/out',
    'cd /w; tar czf - d | tar tzf - | sort >/w/out',
    'cd /w; gzip -c d/big | gunzip | tee copy | md5sum >/w/out',
    "cd /w; for f in d/f*; do cat $f; done | awk '{s+=$1; print s}' | sed -n '$p;s/0$/!/p' | uniq | od -c >/w/out",
    'cd /w; tail -f log | while read l; do echo got $l >>out; test $l = end && break; done & sleep 0.4; echo mid >>log; sleep 1.1; echo end >>log',
  ])('%s', (command) => {
    const expected = (() => {
      const machine = prepare();
      machine.start(command);
      machine.advance(4000);
      return machine.run(['cat', '/w/out']).stdout;
    })();
    expect(expected).not.toBe('');
    const machine = prepare();
    machine.start(command);
    for (const ms of [1, 3, 9, 40, 500]) {
      machine.advance(ms);
      const copy = TestKernel.restore(programs, {}, structuredClone(machine.save()));
      copy.advance(4000);
      expect(copy.run(['cat', '/w/out']).stdout).toBe(expected);
    }
  });
});
