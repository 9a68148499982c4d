import { describe, expect, it } from 'vitest';
import { commonPrograms } from './programs';
import { command } from './programs/adapters';
import { hashPassword } from './programs/password';
import { again, exit, type Program, wait } from './sys';
import { testKernel } from './testing';

/** A stand-in for a shell: runs the lines it reads as `NAME ARGS`, and scripts not at all. */
const sh: Program<{ pid: number; prompted: boolean }> = {
  name: 'sh',
  start: () => ({ pid: 0, prompted: false }),
  step(sys, state) {
    if (sys.argv.length > 1) return exit(0);
    if (state.pid !== 0) {
      const event = sys.waitChild(state.pid);
      if (!event) return wait({ child: true });
      sys.setForeground(0, sys.pgid);
      sys.print(event.kind === 'exited' ? `status ${event.status}\n` : `${event.kind} ${event.signal}\n`);
      state.pid = 0;
    }
    if (!state.prompted) sys.print('# ');
    state.prompted = true;
    const bytes = sys.read(0);
    if (!bytes) return wait({ readable: 0 });
    if (bytes.length === 0) return exit(0);
    state.prompted = false;
    const argv = new TextDecoder().decode(bytes).trim().split(' ');
    if (argv[0] === 'exit') return exit(0);
    state.pid = sys.spawn({ argv, pgid: 0 });
    sys.setForeground(0, state.pid);
    return again();
  },
  signal: (_sys, _state, signal) => signal === 'INT',
};
const id = command('id', (sys) => sys.print(`uid=${sys.uid} ${sys.cwd} ${sys.env['USER']} ${sys.ttyName(0)}\n`));
const size = command('size', (sys) => sys.print(`${sys.winsize(0).rows}x${sys.winsize(0).cols}\n`));
const programs = [...commonPrograms, sh, id, size];

describe('boot', () => {
  it('shows login: and gives root a shell without a password', () => {
    const machine = testKernel(programs, { init: true, hostname: 'vm1' });
    machine.advance(200);
    expect(machine.console()).toMatch(/vm1 console\r\n\r\nvm1 login: $/);
    machine.type('root\r');
    machine.advance(100);
    machine.type('id\r');
    machine.advance(100);
    expect(machine.console()).toContain('uid=0 /root root /dev/console\r\nstatus 0\r\n# ');
    machine.type('\x04');
    machine.advance(100);
    expect(machine.console()).toMatch(/vm1 login: $/);
  });

  it('asks users with a password for it, and refuses a wrong one after a while', () => {
    const machine = testKernel(programs, { init: true, hostname: 'vm1' });
    const line = `alice:${hashPassword('secret', 'ab')}:500:500:Alice:/home:/bin/sh\n`;
    machine.kernel.writeFile('/etc/passwd', new TextEncoder().encode(line));
    machine.advance(200);
    machine.type('alice\r');
    machine.advance(100);
    machine.type('wrong\r');
    machine.advance(1900);
    expect(machine.console()).not.toContain('incorrect');
    machine.advance(300);
    expect(machine.console()).toContain('Password: \r\nLogin incorrect\r\nvm1 login: ');
    for (const line of ['alice', 'secret', 'id']) {
      machine.type(`${line}\r`);
      machine.advance(200);
    }
    expect(machine.console()).toContain('uid=500 /home alice');
    expect(machine.console()).not.toContain('secret');
  });

  it('ends a foreground job with Ctrl-C and leaves the shell alone', () => {
    const machine = testKernel(programs);
    const session = machine.session();
    machine.advance(50);
    session.type('burn\r');
    machine.advance(500);
    session.type('\x03');
    machine.advance(50);
    expect(session.screen).toBe('# burn\r\n^Csignaled INT\r\n# ');
  });

  it('ends the session of a shell that exits', () => {
    const machine = testKernel(programs);
    const session = machine.session();
    machine.advance(50);
    session.resize(50, 132);
    session.type('size\r');
    machine.advance(50);
    session.type('exit\r');
    machine.advance(50);
    expect(session.screen).toContain('50x132');
    expect(session.isClosed).toBe(true);
    expect(machine.kernel.vfs.readdir('/', '/dev/pts', { uid: 0, gid: 0 })).toEqual([]);
  });

  it('brings the system down in order when another runlevel is asked for', () => {
    const machine = testKernel(programs, { init: true });
    machine.advance(200);
    expect(machine.run(['init', '0']).status).toBe(0);
    machine.advance(5000);
    expect(machine.shutdownReason).toBe('poweroff');
    expect(machine.console()).toContain('Power down.');
  });

  it('panics without init', () => {
    const machine = testKernel([burn()], { init: true });
    expect(machine.shutdownReason).toBe('crash');
    expect(machine.console()).toContain('Kernel panic - not syncing: No init found.');
  });

  it('is idle at the prompt: nothing happens without input', () => {
    const machine = testKernel(programs, { init: true });
    machine.advance(10_000);
    expect(machine.clock.nextNs).toBe(Number.POSITIVE_INFINITY);
  });
});

function burn() {
  return commonPrograms.find(({ name }) => name === 'burn')!;
}
