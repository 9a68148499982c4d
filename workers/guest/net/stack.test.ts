import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeIcmp, encodeIcmp } from '../../lib/packet/packet';
import { seeded } from '../../lib/random';
import { NetStack } from './stack';
import { bytesOf, pair } from './testing';

const text = (bytes: Uint8Array | undefined) => (bytes ? new TextDecoder().decode(bytes) : undefined);

describe('a guest on a cable', () => {
  it('answers an echo request after ARP', () => {
    const { clock, a } = pair();
    const socket = a.sockets.socket('icmp');
    a.sockets.sendTo(
      socket,
      encodeIcmp({ type: 8, code: 0, rest: 0x1234_0001, data: bytesOf('hello') }),
      '192.0.2.2',
      0,
    );
    clock.advanceTo(1e6);
    const reply = a.sockets.receiveFrom(socket)!;
    expect(reply.address).toBe('192.0.2.2');
    expect(decodeIcmp(reply.bytes)).toMatchObject({ type: 0, rest: 0x1234_0001 });
    expect(a.config.arpTable()).toMatchObject([{ address: '192.0.2.2', mac: '00:16:3e:00:00:02', complete: true }]);
  });

  it('carries an echo larger than the MTU in fragments', () => {
    const { clock, a } = pair();
    const socket = a.sockets.socket('icmp');
    const data = new Uint8Array(4000).map((_, i) => i);
    a.sockets.sendTo(socket, encodeIcmp({ type: 8, code: 0, rest: 1, data }), '192.0.2.2', 0);
    clock.advanceTo(1e6);
    expect(decodeIcmp(a.sockets.receiveFrom(socket)!.bytes)!.data).toEqual(data);
  });

  it('tells a ping that the host is unreachable when nobody answers ARP', () => {
    const { clock, a } = pair();
    const socket = a.sockets.socket('icmp');
    a.sockets.sendTo(socket, encodeIcmp({ type: 8, code: 0, rest: 1, data: new Uint8Array(0) }), '192.0.2.77', 0);
    clock.advanceTo(5e9);
    expect(decodeIcmp(a.sockets.receiveFrom(socket)!.bytes)).toMatchObject({ type: 3, code: 1 });
  });

  it('refuses UDP and TCP to a port where nobody listens', () => {
    const { clock, a } = pair();
    const udp = a.sockets.socket('udp');
    a.sockets.connect(udp, '192.0.2.2', 9);
    a.sockets.write(udp, bytesOf('x'));
    const tcp = a.sockets.socket('tcp');
    a.sockets.connect(tcp, '192.0.2.2', 9);
    clock.advanceTo(1e6);
    expect(a.sockets.socketError(tcp)).toBe('ECONNREFUSED');
    expect(() => a.sockets.read(udp, 10)).toThrow('Connection refused');
  });

  it('does not route to a network it has no route for', () => {
    const { a } = pair();
    const socket = a.sockets.socket('udp');
    expect(() => a.sockets.sendTo(socket, bytesOf('x'), '198.51.100.1', 9)).toThrow('Network is unreachable');
  });
});

describe('TCP', () => {
  it('delivers every byte in order over a cable that loses frames, and closes on both sides', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 0, max: 10 }),
        fc.integer({ min: 0, max: 60000 }),
        (seed, lossPercent, size) => {
          const random = seeded(seed);
          // ARP gets through: three lost requests in a row would rightly fail the connection.
          const { clock, a, b } = pair((frame) => frame[13] === 0 && random.below(100) < lossPercent);
          const listener = b.sockets.socket('tcp');
          b.sockets.bind(listener, '0.0.0.0', 7);
          b.sockets.listen(listener);
          const client = a.sockets.socket('tcp');
          a.sockets.connect(client, '192.0.2.2', 7);
          const data = Uint8Array.from({ length: size }, () => random.u32() & 255);
          let sent = 0;
          let closed = false;
          let server: number | undefined;
          const got: number[] = [];
          let ended = false;
          for (let ms = 0; ms < 900_000 && !ended; ms += 50) {
            clock.advanceTo(ms * 1e6);
            if (a.sockets.socketError(client) === undefined && sent < size)
              sent += a.sockets.write(client, data.subarray(sent));
            if (a.sockets.socketError(client) === undefined && sent === size && !closed) {
              a.sockets.shutdownWrite(client);
              closed = true;
            }
            server ??= b.sockets.accept(listener)?.id;
            if (server !== undefined) {
              for (
                let piece = b.sockets.read(server, 5000);
                piece !== undefined;
                piece = b.sockets.read(server, 5000)
              ) {
                if (piece.length === 0) {
                  ended = true;
                  break;
                }
                got.push(...piece);
              }
            }
          }
          expect(ended).toBe(true);
          expect(Uint8Array.from(got)).toEqual(data);
          b.sockets.close(server!);
          a.sockets.close(client);
          b.sockets.close(listener);
          clock.advanceTo(clock.nowNs + 2000e9);
          expect(a.state.sockets).toEqual([]);
          expect(b.state.sockets).toEqual([]);
        },
      ),
      { numRuns: 25, seed: 1 },
    );
  });

  it('stops the writer when the reader does not read, and goes on when it does', () => {
    const { clock, a, b } = pair();
    const listener = b.sockets.socket('tcp');
    b.sockets.bind(listener, '0.0.0.0', 7);
    b.sockets.listen(listener);
    const client = a.sockets.socket('tcp');
    a.sockets.connect(client, '192.0.2.2', 7);
    clock.advanceTo(10e6);
    const { id } = b.sockets.accept(listener)!;
    let sent = 0;
    for (let i = 0; i < 100; i++) {
      sent += a.sockets.write(client, new Uint8Array(10_000));
      clock.advanceTo(clock.nowNs + 50e6);
    }
    expect(sent).toBeLessThanOrEqual(2 * 65535);
    let got = 0;
    for (let i = 0; i < 200 && got < sent; i++) {
      got += b.sockets.read(id, 10_000)?.length ?? 0;
      clock.advanceTo(clock.nowNs + 500e6);
    }
    expect(got).toBe(sent);
  });

  it('gets through to a host that still has a connection of these ports with a machine that died', () => {
    const { clock, a, b } = pair();
    const listener = b.sockets.socket('tcp');
    b.sockets.bind(listener, '0.0.0.0', 7);
    b.sockets.listen(listener);
    const connect = () => {
      const client = a.sockets.socket('tcp');
      a.sockets.bind(client, '0.0.0.0', 4000);
      a.sockets.connect(client, '192.0.2.2', 7);
      clock.advanceTo(clock.nowNs + 10e9);
      return client;
    };
    connect();
    const old = b.sockets.accept(listener)!.id;
    a.state.sockets.splice(0);
    const client = connect();
    expect(b.sockets.socketError(old)).toBe('ECONNRESET');
    a.sockets.write(client, bytesOf('hello'));
    clock.advanceTo(clock.nowNs + 10e6);
    expect(text(b.sockets.read(b.sockets.accept(listener)!.id, 100))).toBe('hello');
  });

  it('continues in a stack restored from the plain state', () => {
    const { clock, a, b } = pair();
    const listener = b.sockets.socket('tcp');
    b.sockets.bind(listener, '0.0.0.0', 7);
    b.sockets.listen(listener);
    const client = a.sockets.socket('tcp');
    a.sockets.connect(client, '192.0.2.2', 7);
    clock.advanceTo(10e6);
    a.sockets.write(client, bytesOf('before '));
    const copy = new NetStack(structuredClone(a.state), a.env);
    expect(copy.state).toEqual(a.state);
    clock.advanceTo(20e6);
    const { id } = b.sockets.accept(listener)!;
    expect(text(b.sockets.read(id, 100))).toBe('before ');
  });
});

describe('links', () => {
  it('join Domain-0 to its own bridge through a loopback pair', () => {
    const { clock, a, b } = pair();
    // What network-bridge does on `a`, except for the renaming.
    b.config.setAddress('eth0', undefined);
    b.links.addPair('veth0', '00:16:3e:00:00:aa', 'vif0.0', 'fe:ff:ff:ff:ff:ff');
    b.links.addBridge('xenbr0');
    b.links.addPort('xenbr0', 'eth0');
    b.links.addPort('xenbr0', 'vif0.0');
    for (const name of ['vif0.0', 'veth0', 'xenbr0']) b.config.setUp(name, true);
    b.config.setAddress('veth0', '192.0.2.9', 24);
    const socket = a.sockets.socket('icmp');
    a.sockets.sendTo(socket, encodeIcmp({ type: 8, code: 0, rest: 1, data: new Uint8Array(8) }), '192.0.2.9', 0);
    clock.advanceTo(1e6);
    expect(a.sockets.receiveFrom(socket)?.address).toBe('192.0.2.9');
    expect(b.config.bridges()).toEqual([
      { name: 'xenbr0', id: '8000.00163e000002', stp: false, ports: ['eth0', 'vif0.0'] },
    ]);
  });

  it('can be renamed only while down, keep their driver, and refuse a name in use', () => {
    const { a } = pair();
    expect(() => a.config.rename('eth0', 'peth0')).toThrow('Device or resource busy');
    a.config.setUp('eth0', false);
    expect(() => a.config.rename('eth0', 'lo')).toThrow('File exists');
    a.config.rename('eth0', 'peth0');
    expect(a.config.interfaces().map((each) => each.name)).toEqual(['lo', 'peth0']);
    expect(() => a.config.setUp('eth0', true)).toThrow('No such device');
  });
});
