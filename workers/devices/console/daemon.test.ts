import { expect, it } from 'vitest';
import { ByteRing } from '../../abi/io/byteRing';
import { CONSOLE_IN, CONSOLE_OUT } from '../../abi/io/console';
import { VirtualClock } from '../../lib/clock';
import { XenError } from '../../lib/errno';
import { ConsoleDaemon, type ConsoleHost } from './daemon';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);

function setup(limit = '1048576') {
  const clock = new VirtualClock();
  const page = new Uint8Array(4096);
  const nodes = new Map([
    ['/local/domain/1/console/ring-ref', '77'],
    ['/local/domain/1/console/port', '2'],
    ['/local/domain/1/console/limit', limit],
    ['/local/domain/1/console/type', 'xenconsoled'],
  ]);
  const watches = new Set<{ path: string; handler: (path: string) => void }>();
  const terminal = { shown: '', room: 0, input: (_bytes: Uint8Array) => {}, writable: () => {} };
  const state = {
    alive: [0, 1],
    suspended: false,
    mapped: 0,
    bound: 0,
    masked: false,
    notified: 0,
    events: 0,
    kick: () => {},
  };
  const host: ConsoleHost = {
    store: {
      read: (path) => nodes.get(path),
      write: (path, value) => void nodes.set(path, value),
      watch: (path, handler) => {
        const watch = { path, handler };
        watches.add(watch);
        return () => void watches.delete(watch);
      },
    },
    time: clock,
    domains: () => state.alive,
    isSuspended: () => state.suspended,
    mapForeign: (_domid, mfn) => {
      if (mfn !== 77) throw new XenError('EINVAL');
      state.mapped++;
      return { page, unmap: () => state.mapped-- };
    },
    bindInterdomain: (_domid, _port, handler) => {
      state.bound++;
      let isPending = false;
      state.kick = () => {
        if (state.masked) isPending = true;
        else {
          state.events++;
          handler();
        }
      };
      return {
        notify: () => void state.notified++,
        setMasked: (masked) => {
          state.masked = masked;
          if (!masked && isPending) {
            isPending = false;
            handler();
          }
        },
        close: () => void state.bound--,
      };
    },
    openPty: (input) => {
      terminal.input = input;
      return {
        slavePath: '/dev/pts/3',
        write: (data) => {
          const taken = Math.min(data.length, terminal.room);
          terminal.room -= taken;
          terminal.shown += text(data.subarray(0, taken));
          return taken;
        },
        onWritable: (action) => {
          terminal.writable = action;
        },
        close: () => {},
      };
    },
    charge: () => {},
  };
  const daemon = new ConsoleDaemon(host);
  daemon.start();
  const out = new ByteRing(page, CONSOLE_OUT);
  const print = (line: string) => {
    out.write(bytes(line));
    state.kick();
  };
  const fire = (path: string) => {
    for (const watch of [...watches]) if (watch.path === path) watch.handler(path);
  };
  return { clock, page, nodes, terminal, state, daemon, print, fire, input: new ByteRing(page, CONSOLE_IN) };
}

it('writes console/tty and keeps what was printed until somebody reads the terminal', () => {
  const { nodes, terminal, print } = setup();
  expect(nodes.get('/local/domain/1/console/tty')).toBe('/dev/pts/3');
  print('one\n');
  print('two\n');
  expect(terminal.shown).toBe('');
  terminal.room = 1000;
  terminal.writable();
  expect(terminal.shown).toBe('one\ntwo\n');
});

it('keeps no more than console/limit bytes, the last ones', () => {
  const { terminal, print } = setup('10');
  for (const word of ['aaaa', 'bbbb', 'cccc', 'dddd']) print(word);
  terminal.room = 1000;
  terminal.writable();
  expect(terminal.shown).toBe('bbccccdddd');
});

it('shows every reader the backlog and then what comes', () => {
  const { daemon, print } = setup();
  print('early ');
  const seen = ['', ''];
  for (const i of [0, 1]) {
    const data = (chunk: Uint8Array) => {
      seen[i] += text(chunk);
    };
    daemon.attach(1, { data, closed: () => {} });
  }
  print('late');
  expect(seen).toEqual(['early late', 'early late']);
});

it('brings what is typed to the guest, also more than the ring holds', () => {
  const { terminal, input, state } = setup();
  const typed = 'x'.repeat(3000);
  terminal.input(bytes(typed));
  let got = '';
  for (let i = 0; i < 3; i++) {
    got += text(input.read());
    state.kick();
  }
  expect(got + text(input.read())).toBe(typed);
});

it('handles at most 30 events in 200 ms, and loses nothing by it', () => {
  const { clock, terminal, print, state } = setup();
  terminal.room = 1e6;
  for (let i = 0; i < 100; i++) print('.');
  expect(state.events).toBe(30);
  expect(terminal.shown).toHaveLength(30);
  clock.advanceTo(200_000_000);
  expect(terminal.shown).toHaveLength(100);
});

it('lets go of a domain that has died, after its last words', () => {
  const { daemon, state, page, fire } = setup();
  const last: string[] = [];
  daemon.attach(1, { data: (data) => last.push(text(data)), closed: () => last.push('closed') });
  new ByteRing(page, CONSOLE_OUT).write(bytes('bye'));
  state.alive = [0];
  fire('@releaseDomain');
  expect(last).toEqual(['bye', 'closed']);
  expect([state.mapped, state.bound, daemon.has(1)]).toEqual([0, 0, false]);
});

it('gives up a ring whose indices make no sense', () => {
  const { daemon, state, page } = setup();
  new DataView(page.buffer).setUint32(CONSOLE_OUT.prod, 0xdead_beef, true);
  state.kick();
  expect([state.mapped, daemon.has(1)]).toEqual([0, false]);
});

it('leaves the ring of a suspended domain alone: its output is shown where the domain goes on', () => {
  const { clock, state, daemon, print, fire } = setup();
  const shown: string[] = [];
  daemon.attach(1, { data: (data) => shown.push(text(data)), closed: () => shown.push('closed') });
  state.suspended = true;
  print('last');
  clock.advanceTo(clock.nowNs + 1e9);
  expect(shown).toEqual([]);
  // Resumed here: nobody would tell the daemon.
  state.suspended = false;
  clock.advanceTo(clock.nowNs + 1e9);
  expect(shown).toEqual(['last']);
  state.suspended = true;
  print('gone along');
  state.alive = [0];
  fire('@releaseDomain');
  expect(shown).toEqual(['last', 'closed']);
});
