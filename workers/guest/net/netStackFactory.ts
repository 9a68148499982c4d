/** The network stack as a part of the kernel: descriptors, timers, /proc files and name look-up. */
import type { QueuedEvent } from '../../lib/clock';
import { ipText, maskOf, parseIp } from '../../lib/packet/addresses';
import type { DaemonSockets, NetStack as KernelNetStack, NetCaller, NetHost } from '../netStack';
import { netProcFiles } from './procNet';
import { netSys, SocketFiles } from './socketFiles';
import { NetStack } from './stack';
import { emptyNetState, type NetState } from './state';
import { netSysFiles } from './sysNet';

export interface NetOptions {
  /** What a name server that the guest can reach would answer. */
  readonly lookup?: (name: string) => string | undefined;
  /** Loopback pairs to make (Domain-0): [name, mac, peer's name, peer's mac]. */
  readonly pairs?: readonly (readonly [string, string, string, string])[];
}

/** A NetStackFactory with the given options. */
export function netStackFactory(options: NetOptions = {}): (host: NetHost, saved: unknown) => KernelNetStack {
  return (host, saved) => {
    const state = saved === undefined ? emptyNetState() : (saved as NetState);
    /** Not state: daemons live beside the kernel. */
    const watchers = new Map<number, () => void>();
    let armed: { readonly timeNs: number; readonly event: QueuedEvent } | undefined;
    const arm = () => {
      const next = stack.nextTimerNs;
      if (armed?.timeNs === next) return;
      armed?.event.cancel();
      armed = next === undefined ? undefined : { timeNs: next, event: host.at(next, () => fire()) };
    };
    const fire = () => {
      armed = undefined;
      stack.runTimers();
    };
    const stack: NetStack = new NetStack(state, {
      get nowNs() {
        return host.nowNs;
      },
      random: (limit) => host.random(limit),
      wakeSocket: (id) => {
        files.wake(id);
        watchers.get(id)?.();
      },
      timerChanged: arm,
      interfacesChanged: () => {},
      printk: (line) => host.printk(line),
    });
    const files = new SocketFiles(stack);
    for (const [name, mac, peer, peerMac] of options.pairs ?? []) stack.links.addPair(name, mac, peer, peerMac);
    if (saved !== undefined) arm();
    return {
      fileOps: files,
      devices: stack.links,
      sysFor: (caller: NetCaller) =>
        netSys(stack, {
          get uid() {
            return caller.uid;
          },
          install: (id) => caller.installSocket(id),
          socketOf: (fd) => caller.socketOf(fd),
          resolve: (name) => resolve(host, stack, options, name),
        }),
      procFiles: () => netProcFiles(stack),
      sysFiles: () => netSysFiles(stack),
      daemons: daemonSockets(stack, watchers, (name) => resolve(host, stack, options, name)),
      save: () => stack.state,
    };
  };
}

function daemonSockets(
  { sockets }: NetStack,
  watchers: Map<number, () => void>,
  resolveName: (name: string) => string | undefined,
): DaemonSockets {
  return {
    open: () => sockets.socket('tcp'),
    listen(id, address, port) {
      sockets.bind(id, address === '' ? '0.0.0.0' : address, port);
      sockets.listen(id);
    },
    accept: (id) => sockets.accept(id),
    connect: (id, address, port) => sockets.connect(id, address, port),
    error: (id) => sockets.socketError(id),
    localEnd: (id) => sockets.localEnd(id),
    read: (id, max) => sockets.read(id, max),
    write: (id, bytes) => sockets.write(id, bytes),
    close(id) {
      watchers.delete(id);
      sockets.close(id);
    },
    watch: (id, changed) => void watchers.set(id, changed),
    resolve: resolveName,
  };
}

/** Numbers as they are, then /etc/hosts, then the name server, if there is a way to it. */
function resolve(host: NetHost, stack: NetStack, options: NetOptions, name: string): string | undefined {
  if (parseIp(name) !== undefined) return name;
  for (const line of (host.readText('/etc/hosts') ?? '').split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (address && names.includes(name) && parseIp(address) !== undefined) return address;
  }
  if (name === host.hostname()) return ownAddress(stack) ?? '127.0.0.1';
  const server = /^\s*nameserver\s+(\S+)/m.exec(host.readText('/etc/resolv.conf') ?? '')?.[1];
  const isReachable =
    server !== undefined && parseIp(server) !== undefined && stack.ip.routeTo(parseIp(server)!) !== undefined;
  return isReachable ? options.lookup?.(name) : undefined;
}

function ownAddress(stack: NetStack): string | undefined {
  const device = stack.state.devices.find((each) => each.kind !== 'loopback' && each.up && each.addresses.length > 0);
  const own = device?.addresses[0];
  return own && ipText((own.address & maskOf(32)) >>> 0);
}
