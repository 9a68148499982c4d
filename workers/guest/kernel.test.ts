import { describe, expect, it } from 'vitest';
import { commonPrograms } from './programs';
import { command, filter } from './programs/adapters';
import { again, exit, type Program, SysError, wait } from './sys';
import { testKernel } from './testing';

const echo = command('echo', (sys, args) => sys.print(`${args.join(' ')}\n`));
const cat = filter<null>('cat', {
  parse: (_, files) => ({ files, state: null }),
  bytes: (sys, _, bytes) => sys.print(bytes),
});
const count = filter<{ lines: number }>('count', {
  parse: () => ({ files: [], state: { lines: 0 } }),
  line: (_, state) => void state.lines++,
  end: (sys, state) => sys.print(`${state.lines}\n`),
});
const yes = filterless('yes', 'y\n'.repeat(512));
const sleep: Program<{ untilNs: number }> = {
  name: 'sleep',
  start: (sys) => ({ untilNs: sys.nowNs + Number(sys.argv[1]) * 1e9 }),
  step: (sys, state) => (sys.nowNs >= state.untilNs ? exit(0) : wait({ untilNs: state.untilNs })),
};
const spin: Program<{ left: number }> = {
  name: 'spin',
  start: (sys) => ({ left: Number(sys.argv[1]) }),
  step: (_, state) => (state.left-- > 0 ? again(1_000_000) : exit(0)),
};

function filterless(name: string, text: string): Program<null> {
  return {
    name,
    start: () => null,
    step: (sys) => {
      sys.print(text);
      return again();
    },
  };
}

/** Runs `a | b` and ends with the status of b; prints how a ended. */
const pipe2: Program<{ pids: number[]; left: number; last: number }> = {
  name: 'pipe2',
  start(sys) {
    const at = sys.argv.indexOf('|');
    const [read, write] = sys.pipe();
    const a = sys.spawn({ argv: sys.argv.slice(1, at), fds: { 0: 0, 1: write, 2: 2 } });
    const b = sys.spawn({ argv: sys.argv.slice(at + 1), fds: { 0: read, 1: 1, 2: 2 } });
    sys.close(read);
    sys.close(write);
    return { pids: [a, b], left: 2, last: 0 };
  },
  step(sys, state) {
    if (state.left === 0) return exit(state.last);
    const event = sys.waitChild();
    if (!event) return wait({ child: true });
    state.left--;
    if (event.kind === 'signaled') sys.eprint(`${event.pid === state.pids[0] ? 'a' : 'b'} died of ${event.signal}\n`);
    if (event.kind === 'exited' && event.pid === state.pids[1]) state.last = event.status;
    return again();
  },
};
const head: Program<null> = {
  name: 'head',
  start: () => null,
  step: (sys) => {
    const bytes = sys.read(0, 4);
    if (!bytes) return wait({ readable: 0 });
    sys.print(bytes);
    return exit(7);
  },
};
const programs = [echo, cat, count, yes, sleep, spin, pipe2, head];

describe('kernel', () => {
  it('runs a program and hands over its output and status', () => {
    expect(testKernel(programs).run(['echo', 'hello'])).toEqual({ status: 0, stdout: 'hello\n', stderr: '' });
  });

  it('kills the writer of a pipe whose reader has gone with SIGPIPE', () => {
    const result = testKernel(programs).run(['pipe2', 'yes', '|', 'head']);
    expect(result).toEqual({ status: 7, stdout: 'y\ny\n', stderr: 'a died of PIPE\n' });
  });

  it('lets a process sleep for the time it asked for', () => {
    const machine = testKernel(programs);
    machine.run(['sleep', '3']);
    expect(machine.clock.nowNs / 1e9).toBeGreaterThanOrEqual(3);
    expect(machine.clock.nowNs / 1e9).toBeLessThan(3.01);
  });

  it('spreads busy processes over the vcpus', () => {
    const machine = testKernel(programs, { vcpus: 2 });
    const both = [machine.start(['spin', '100']), machine.start(['spin', '100'])];
    machine.advance(105);
    expect(both.map(({ status }) => status)).toEqual([0, 0]);
  });

  it('shares one vcpu between busy processes and charges each what it used', () => {
    const machine = testKernel(programs);
    machine.start(['spin', '1000']);
    machine.start(['spin', '1000']);
    machine.advance(200);
    const times = machine.kernel.processes.all().map(({ record }) => record.userNs / 1e6);
    expect(Math.abs(times[0]! - times[1]!)).toBeLessThanOrEqual(15);
    expect(times[0]! + times[1]!).toBeGreaterThan(190);
  });

  it('counts lines that came through /proc', () => {
    const machine = testKernel(programs, { vcpus: 4 });
    expect(machine.run(['pipe2', 'cat', '/proc/stat', '|', 'count']).stdout).toBe('10\n');
  });

  it('reports a program that is not there as ENOENT', () => {
    expect(() => testKernel(programs).run(['nothing'])).toThrow('nothing: No such file or directory');
  });

  it('moves work to a vcpu that is plugged in, and away from one that is unplugged', () => {
    const machine = testKernel(programs, { vcpus: 2 });
    machine.online.delete(1);
    machine.start(['spin', '1000']);
    machine.start(['spin', '1000']);
    machine.advance(100);
    const vcpus = () => machine.kernel.processes.all().map(({ record }) => record.vcpu);
    expect(vcpus()).toEqual([0, 0]);
    machine.online.add(1);
    machine.kernel.vcpusChanged();
    machine.advance(30);
    expect(vcpus().sort()).toEqual([0, 1]);
    machine.online.delete(1);
    machine.kernel.vcpusChanged();
    machine.advance(30);
    expect(vcpus()).toEqual([0, 0]);
  });

  it('opens /dev/stdin and /dev/stderr as what the descriptor is', () => {
    const machine = testKernel([...programs, command('complain', (sys) => sys.writeFile('/dev/stderr', 'oh\n'))]);
    expect(machine.run(['cat', '/dev/stdin'], { stdin: 'given' }).stdout).toBe('given');
    expect(machine.run(['complain']).stderr).toBe('oh\n');
  });

  it('ends a program that breaks as by a bad memory access, and goes on', () => {
    const broken = command('broken', () => {
      throw new TypeError('nothing there');
    });
    const machine = testKernel([...programs, broken]);
    expect(machine.run(['broken']).status).toBe(139);
    expect(machine.console()).toContain('segfault: TypeError: nothing there');
    expect(machine.run(['echo', 'on']).stdout).toBe('on\n');
  });

  it('refuses what only root or the owner may do', () => {
    const attempt = command('attempt', (sys) => {
      sys.setIds(500, 500);
      for (const call of [() => sys.kill(1, 'TERM'), () => sys.setHostname('x'), () => sys.writeFile('/etc/x', '')]) {
        try {
          call();
        } catch (error) {
          sys.print(`${error instanceof SysError && error.code} `);
        }
      }
    });
    const machine = testKernel([...programs, ...commonPrograms, attempt], { init: true });
    expect(machine.run(['attempt']).stdout).toBe('EPERM EPERM EACCES ');
  });

  it('runs a host operation, shows its output at once, and hands over its result', async () => {
    const call: Program<{ id: number }> = {
      name: 'call',
      start: (sys) => ({ id: sys.startOperation('greet', 'world') }),
      step(sys, { id }) {
        const result = sys.operationResult(id);
        return result ? exit(result.status) : wait({ operation: id });
      },
    };
    const machine = testKernel([call]);
    let finish = () => {};
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    machine.kernel.registerOperation('greet', async (argument, io) => {
      io.print(`hello ${argument}\n`);
      await gate;
      return { status: io.cancelled.isCancelled ? 9 : 5 };
    });
    const started = machine.start(['call']);
    machine.advance(10);
    expect(started.stdout).toBe('hello world\n');
    expect(machine.kernel.operations.inFlight).toBe(1);
    finish();
    await gate;
    await Promise.resolve();
    machine.advance(10);
    expect(started.status).toBe(5);
  });

  it('stops, continues and reports jobs', () => {
    const machine = testKernel(programs);
    const job = machine.start(['spin', '100']);
    machine.advance(20);
    job.kill('STOP');
    machine.advance(1000);
    expect(machine.kernel.readText(`/proc/${job.pid}/status`)).toContain('State:\tT (stopped)');
    job.kill('CONT');
    machine.advance(100);
    expect(job.status).toBe(0);
  });

  it('fills memory up to ENOSPC and counts it', () => {
    const fill = command('fill', (sys) => {
      for (;;) sys.writeFile('/tmp/big', new Uint8Array(1 << 20).fill(1), { append: true });
    });
    const machine = testKernel([...programs, fill], { memoryKiB: 16384 });
    const free = () => Number(/MemFree: +(\d+)/.exec(machine.kernel.readText('/proc/meminfo')!)![1]);
    const before = free();
    expect(machine.run(['fill']).stderr).toBe('fill: /tmp/big: No space left on device\n');
    expect(before - free()).toBeGreaterThan(6000);
  });
});
