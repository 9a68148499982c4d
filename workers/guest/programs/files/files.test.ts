import { describe, expect, it } from 'vitest';
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
    expect(machine.run(['ls', '-l', '/dev/null']).stdout).toMatch(/^crw-rw-rw- 1 root root {3}1, {3}3 /);
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
