import { describe, expect, it } from 'vitest';
import { shell } from '../../shell/index';
import { testKernel } from '../../testing';
import { textPrograms } from '../text/index';
import { filePrograms } from './index';

const fresh = () => testKernel([...filePrograms, ...textPrograms]);

describe('ls', () => {
  it('prints the long format of coreutils', () => {
    const machine = fresh();
    machine.run(['tee', '/tmp/f'], { stdin: 'hello\n' });
    machine.run(['touch', '-t', '200611011200', '/tmp/f']);
    machine.run(['ln', '-s', 'f', '/tmp/l']);
    expect(machine.run(['ls', '-l', '/tmp/f']).stdout).toBe('-rw-r--r-- 1 root root 6 Nov  1  2006 /tmp/f\n');
    expect(machine.run(['ls', '-F', '/tmp']).stdout).toBe('f\nl@\n');
    expect(machine.run(['ls', '-l', '/dev/null']).stdout).toMatch(/^crw-rw-rw- 1 root root 1, 3 /);
  });

  it('ends with 2 for a file that does not exist', () => {
    expect(fresh().run(['ls', '/nope'])).toEqual({
      status: 2,
      stdout: '',
      stderr: 'ls: /nope: No such file or directory\n',
    });
  });
});

describe('cp, mv and rm', () => {
  it('copies a tree with its links and modes', () => {
    const machine = fresh();
    machine.run(['mkdir', '-p', '/tmp/a/b']);
    machine.run(['tee', '/tmp/a/b/f'], { stdin: 'x' });
    machine.run(['chmod', '600', '/tmp/a/b/f']);
    machine.run(['ln', '-s', 'b/f', '/tmp/a/l']);
    expect(machine.run(['cp', '-a', '/tmp/a', '/tmp/c']).status).toBe(0);
    expect(machine.run(['stat', '-c', '%a %s', '/tmp/c/b/f']).stdout).toBe('600 1\n');
    expect(machine.run(['readlink', '/tmp/c/l']).stdout).toBe('b/f\n');
  });

  it('keeps a sparse file sparse', () => {
    const machine = fresh();
    machine.run(['truncate', '-s', '8M', '/tmp/sparse']);
    machine.run(['cp', '/tmp/sparse', '/tmp/copy']);
    expect(machine.run(['stat', '-c', '%s %b', '/tmp/copy']).stdout).toBe('8388608 0\n');
  });

  it('refuses to copy a directory without -r, or into itself', () => {
    const machine = fresh();
    machine.run(['mkdir', '/tmp/d']);
    expect(machine.run(['cp', '/tmp/d', '/tmp/e']).stderr).toBe("cp: omitting directory `/tmp/d'\n");
    expect(machine.run(['cp', '-r', '/tmp/d', '/tmp/d/e']).status).toBe(1);
    expect(machine.run(['mv', '/tmp/d', '/tmp/d/e']).stderr).toBe(
      "mv: cannot move `/tmp/d' to a subdirectory of itself, `/tmp/d/e'\n",
    );
  });

  it('moves between file systems by copying', () => {
    const machine = fresh();
    machine.run(['mkdir', '/tmp/d']);
    machine.run(['tee', '/tmp/d/f'], { stdin: 'x' });
    expect(machine.run(['mv', '/tmp/d', '/dev/shm']).status).toBe(0);
    expect(machine.run(['cat', '/dev/shm/d/f']).stdout).toBe('x');
    expect(machine.run(['ls', '/tmp']).stdout).toBe('');
  });

  it('asks with -i and takes no for an answer', () => {
    const machine = fresh();
    machine.run(['touch', '/tmp/f']);
    expect(machine.run(['rm', '-i', '/tmp/f'], { stdin: 'n\n' }).stderr).toBe(
      "rm: remove regular empty file `/tmp/f'? ",
    );
    machine.run(['rm', '-i', '/tmp/f'], { stdin: 'y\n' });
    expect(machine.run(['ls', '/tmp']).stdout).toBe('');
  });
});

it.each([
  ['u+x', '744'],
  ['go-r', '600'],
  ['a=rx', '555'],
  ['4755', '4755'],
  ['u=rwx,g+s', '2744'],
])('chmod %s makes 644 to %s', (change, mode) => {
  const machine = fresh();
  machine.run(['touch', '/tmp/f']);
  machine.run(['chmod', change, '/tmp/f']);
  expect(machine.run(['stat', '-c', '%a', '/tmp/f']).stdout).toBe(`${mode}\n`);
});

it('find runs commands for what it finds, and deletes depth first', () => {
  const machine = fresh();
  machine.run(['mkdir', '-p', '/tmp/t/u']);
  machine.run(['touch', '/tmp/t/u/f', '/tmp/t/g']);
  expect(
    machine.run(['find', '/tmp/t', '-type', 'f', '-name', 'f', '-exec', 'echo', 'got', '{}', ';', '-print']).stdout,
  ).toBe('got /tmp/t/u/f\n/tmp/t/u/f\n');
  expect(machine.run(['find', '/tmp/t', '-delete']).status).toBe(0);
  expect(machine.run(['ls', '/tmp']).stdout).toBe('');
});

describe('what GNU prints, of a small tree', () => {
  const machine = testKernel([...filePrograms, ...textPrograms, shell]);
  machine.run(
    "mkdir -p /tmp/w/a/b/c /tmp/w/e; cd /tmp/w; printf hello >a/f1; printf 'x\\n' >a/b/f2; : >a/empty; ln -s f1 a/link; ln a/f1 a/hard;" +
      'chmod 4755 a/b/f2; mkfifo a/pipe; : >a/Zfile; for i in aaaa bbbbbbb cc dddddddddddd eeeee one.txt three.txt; do : >e/$i; done;' +
      'find a e -type f -exec touch -t 200611011200 {} +',
  );
  const table: readonly (readonly [command: string, stdout: string])[] = [
    ['ls a', 'Zfile\nb\nempty\nf1\nhard\nlink\npipe\n'],
    ['ls -p a/b', 'c/\nf2\n'],
    ['ls -l a/f1 a/b/f2', '-rwsr-xr-x 1 root root 2 Nov  1  2006 a/b/f2\n-rw-r--r-- 2 root root 5 Nov  1  2006 a/f1\n'],
    ['ls -l --time-style=long-iso a/f1', '-rw-r--r-- 2 root root 5 2006-11-01 12:00 a/f1\n'],
    ['ls --full-time a/f1', '-rw-r--r-- 2 root root 5 2006-11-01 12:00:00.000000000 +0000 a/f1\n'],
    ['ls -C -w 40 e', 'aaaa\t dddddddddddd  three.txt\nbbbbbbb  eeeee\ncc\t one.txt\n'],
    ['ls -m e', 'aaaa, bbbbbbb, cc, dddddddddddd, eeeee, one.txt, three.txt\n'],
    ['ls -I "*.txt" e', 'aaaa\nbbbbbbb\ncc\ndddddddddddd\neeeee\n'],
    ['ls -X e | tail -2', 'one.txt\nthree.txt\n'],
    ["stat -c '%n %s %a %A %F %h' a/f1 a/link a/pipe", 'a/f1 5 644 -rw-r--r-- regular file 2\na/link 2 777 lrwxrwxrwx symbolic link 1\na/pipe 0 644 prw-r--r-- fifo 1\n'],
    ["stat -c '[%5s] [%-5s] [%04a]' a/f1", '[    5] [5    ] [0644]\n'],
    ['stat -t a/f1 | cut -d" " -f1-4', 'a/f1 5 8 81a4\n'],
    ['find a -type f -links 2 | sort', 'a/f1\na/hard\n'],
    ['find a -samefile a/f1 | sort', 'a/f1\na/hard\n'],
    ['find a -perm -4000', 'a/b/f2\n'],
    ['find a -name b -prune -o -type f -print | sort', 'a/Zfile\na/empty\na/f1\na/hard\n'],
    ["find a -name f2 -printf '%p %f %h %P %H %d %s %m %y %TY-%Tm-%Td\\n'", 'a/b/f2 f2 a/b b/f2 a 2 2 4755 f 2006-11-01\n'],
    ["find a -regex '.*/f[0-9]+' | sort", 'a/b/f2\na/f1\n'],
    ['find a -xtype f -type l', 'a/link\n'],
    ['echo y | find a -name f1 -ok echo {} \\; 2>/dev/null', 'a/f1\n'],
    ['find a -depth -name "[bc]"', 'a/b/c\na/b\n'],
    ['find a -size +0 -type f | sort', 'a/b/f2\na/f1\na/hard\n'],
    ['cp -l a/f1 l1; stat -c %h l1; rm l1', '3\n'],
    ['cp -s /tmp/w/a/f1 s1; readlink s1; rm s1', '/tmp/w/a/f1\n'],
    ['cp --parents a/b/f2 e; find e/a; rm -r e/a', 'e/a\ne/a/b\ne/a/b/f2\n'],
    ['echo new >t; cp -b a/f1 t; cat t t~; rm t t~', 'hellonew\n'],
    ['echo 1 >t; echo 2 >u; mv -b u t; cat t t~; rm t t~', '2\n1\n'],
    ['mkdir -pv q/r; rmdir -pv q/r', "mkdir: created directory `q'\nmkdir: created directory `q/r'\nrmdir: removing directory, q/r\nrmdir: removing directory, q\n"],
    ['touch t; chmod -v 600 t; chmod -c 600 t; chown -v 5:7 t; rm t', "mode of `t' changed to 0600 (rw-------)\nchanged ownership of `t' to 5:7\n"],
    ["touch -d '1 Jan 2005' t; stat -c %y t; rm t", '2005-01-01 00:00:00.000000000 +0000\n'],
    ['readlink -f a/link; readlink -m nope/y', '/tmp/w/a/f1\n/tmp/w/nope/y\n'],
  ]; // biome-ignore format: a table
  it.each(table)('%s', (command, stdout) => {
    expect(machine.run(command, { cwd: '/tmp/w' })).toEqual({ status: 0, stdout, stderr: '' });
  });
});
