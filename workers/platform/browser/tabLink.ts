/**
 * The machines of all tabs of this browser are on one network: what one network does not know is broadcast to the others.
 * Which tabs are there is seen by the locks that they hold on their machines.
 */
import type { MessagePortLike } from '../../contract';
import type { EventQueue } from '../../lib/clock';
import { GONE } from '../../machine/hostMigrations';
import type { Gateway } from '../../net/gateway';
import type { Lan } from '../../net/lan';
import { inPieces, type TabMessage, TabPorts } from '../../net/tabPorts';
import { Uplink, type UplinkMessage } from '../../net/uplink';
import { liveMachines } from './machineName';
import { Peers } from './peers';

const CHANNEL = 'xen-lab/lan';
/** How often it is looked which tabs are there, ms. */
const WATCH_MS = 500;
/** Machines that have names: their addresses stand between the router's and those that are given out. */
export const MAX_MACHINES = 80;

export interface TabNetwork {
  readonly number: number;
  readonly lan: Lan;
  readonly gateway: Gateway;
  readonly clock: EventQueue;
  /** The machine has something to do that came from outside. */
  wake(): void;
}

const addressOf = (number: number) => `192.0.2.${10 + number}`;

/** Where there are no channels between tabs, a machine is alone on its network. Answers with the ways to other computers. */
export function joinTabs({ number, lan, gateway, clock, wake }: TabNetwork): Peers | undefined {
  if (!('BroadcastChannel' in globalThis) || !('locks' in navigator)) return undefined;
  const channel = new BroadcastChannel(CHANNEL);
  const uplink = new Uplink(lan, clock, {
    own: String(number),
    post: (message) => {
      const byPort = ports.send(message);
      if (byPort) channel.postMessage(byPort);
      else {
        for (const piece of inPieces(message)) channel.postMessage(piece);
        peers.post(message);
      }
    },
  });
  const gone = (other: number) => {
    ports.forget(String(other));
    uplink.lost(String(other));
    lan.bulletins.received({ from: `host${other}`, topic: GONE, body: null });
    wake();
  };
  const received = (message: UplinkMessage) => {
    uplink.received(message);
    wake();
  };
  const ports = new TabPorts(String(number), received);
  const peers: Peers = new Peers(number, {
    received,
    joined: (other) => lan.poweredOn.add(addressOf(other)),
    lost: gone,
    introduced: (broker) => {
      const introducing = broker as unknown as MessagePort;
      introducing.onmessage = ({ data: other, ports: [port] }: MessageEvent<string>) => {
        if (port) ports.connect(other, port as unknown as MessagePortLike);
      };
      broker.postMessage(String(number));
    },
  });
  channel.onmessage = ({ data }: MessageEvent<TabMessage>) => ports.receive(data);
  for (let other = 1; other <= MAX_MACHINES; other++) gateway.setName(`host${other}`, addressOf(other));
  let known: ReadonlySet<number> = new Set();
  setInterval(() => {
    void liveMachines().then((live) => {
      for (const other of known) {
        if (live.has(other) || other === number) continue;
        lan.poweredOn.delete(addressOf(other));
        gone(other);
      }
      for (const other of live) if (other !== number) lan.poweredOn.add(addressOf(other));
      known = live;
    });
  }, WATCH_MS);
  return peers;
}
