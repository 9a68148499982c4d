/** Sockets as descriptors: what `read`, `write`, `close` and waiting mean for them, and the network calls of a process. */
import type { FilterTable } from '../netfilter';
import type { FileOps } from '../openFile';
import { type NetSys, SysError } from '../sys';
import { WaitQueue } from '../waitQueue';
import type { SocketKind } from './sockets';
import type { NetStack } from './stack';

/** The open-file operations of kind `socket`; an OpenFile's `object` is the socket's id. */
export class SocketFiles implements FileOps {
  readonly kind = 'socket';
  /** Not state: whoever waits after a restore waits anew. */
  readonly #queues = new Map<number, WaitQueue>();

  constructor(readonly stack: NetStack) {}

  read(file: { object: number }, max: number): Uint8Array | undefined {
    return this.stack.sockets.read(file.object, max);
  }

  write(file: { object: number }, bytes: Uint8Array): number {
    return this.stack.sockets.write(file.object, bytes);
  }

  isReadable(file: { object: number }): boolean {
    return this.stack.sockets.isReadable(file.object);
  }

  isWritable(file: { object: number }): boolean {
    return this.stack.sockets.isWritable(file.object);
  }

  queue(file: { object: number }): WaitQueue {
    let queue = this.#queues.get(file.object);
    if (!queue) {
      queue = new WaitQueue();
      this.#queues.set(file.object, queue);
    }
    return queue;
  }

  release(file: { object: number }): void {
    this.#queues.delete(file.object);
    this.stack.sockets.close(file.object);
  }

  /** NetEnv.wakeSocket. */
  wake(id: number): void {
    this.#queues.get(id)?.wake();
  }
}

/** What the calls need from the process that makes them. */
export interface SocketDescriptors {
  readonly uid: number;
  /** A new descriptor for the socket. */
  install(socketId: number): number;
  /** The socket behind a descriptor; SysError EBADF or ENOTSOCK. */
  socketOf(fd: number): number;
  /** From /etc/hosts and the name server. */
  resolve(name: string): string | undefined;
}

/** Lowest port that ordinary users may bind. */
const FIRST_FREE_PORT = 1024;

export function netSys(stack: NetStack, process: SocketDescriptors): NetSys {
  const administer = () => {
    if (process.uid !== 0) throw new SysError('EPERM');
  };
  const asRoot =
    <Args extends unknown[]>(change: (...args: Args) => void) =>
    (...args: Args) => {
      administer();
      change(...args);
    };
  return {
    interfaces: () => stack.config.interfaces(),
    setUp: asRoot((name: string, up: boolean) => stack.config.setUp(name, up)),
    setAddress: asRoot((name: string, address: string | undefined, prefix?: number) =>
      stack.config.setAddress(name, address, prefix),
    ),
    addAddress: asRoot((name: string, address: string, prefix: number) =>
      stack.config.addAddress(name, address, prefix),
    ),
    removeAddress: asRoot((name: string, address: string) => stack.config.removeAddress(name, address)),
    setArp: asRoot((name: string, on: boolean) => stack.config.setArp(name, on)),
    setMac: asRoot((name: string, mac: string) => stack.config.setMac(name, mac)),
    setMtu: asRoot((name: string, mtu: number) => stack.config.setMtu(name, mtu)),
    rename: asRoot((name: string, to: string) => stack.config.rename(name, to)),
    setPromiscuous: asRoot((name: string, on: boolean) => stack.config.setPromiscuous(name, on)),
    routes: () => stack.config.routes(),
    addRoute: asRoot((route) => stack.config.addRoute(route)),
    deleteRoute: asRoot((route) => stack.config.deleteRoute(route)),
    arpTable: () => stack.config.arpTable(),
    deleteArp: asRoot((address: string) => stack.config.deleteArp(address)),
    bridges: () => stack.config.bridges(),
    addBridge: asRoot((name: string) => stack.links.addBridge(name)),
    deleteBridge: asRoot((name: string) => stack.links.deleteBridge(name)),
    addBridgePort: asRoot((bridge: string, device: string) => stack.links.addPort(bridge, device)),
    deleteBridgePort: asRoot((bridge: string, device: string) => stack.links.removePort(bridge, device)),
    setBridgeOption: asRoot((name: string, change: { stp?: boolean; forwardDelay?: number }) =>
      stack.links.setBridgeOption(name, change),
    ),

    filterTable: (name: string) => {
      administer();
      return stack.netfilter.table(name);
    },
    replaceFilterTable: asRoot((name: string, table: FilterTable) => stack.netfilter.replace(name, table)),

    socket: (kind: SocketKind) => {
      if (kind !== 'tcp' && kind !== 'udp') administer();
      return process.install(stack.sockets.socket(kind));
    },
    bind: (fd, address, port, device) => {
      if (port > 0 && port < FIRST_FREE_PORT && process.uid !== 0) throw new SysError('EACCES');
      stack.sockets.bind(process.socketOf(fd), address, port, device);
    },
    connect: (fd, address, port) => stack.sockets.connect(process.socketOf(fd), address, port),
    listen: (fd) => stack.sockets.listen(process.socketOf(fd)),
    accept: (fd) => {
      const connection = stack.sockets.accept(process.socketOf(fd));
      return connection && { fd: process.install(connection.id), address: connection.address, port: connection.port };
    },
    sendTo: (fd, bytes, address, port) => stack.sockets.sendTo(process.socketOf(fd), bytes, address, port),
    receiveFrom: (fd) => stack.sockets.receiveFrom(process.socketOf(fd)),
    socketError: (fd) => stack.sockets.socketError(process.socketOf(fd)),
    keepAlive: (fd) => stack.sockets.keepAlive(process.socketOf(fd)),
    shutdownWrite: (fd) => stack.sockets.shutdownWrite(process.socketOf(fd)),
    resolve: (name) => process.resolve(name),
  };
}
