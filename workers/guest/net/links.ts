/**
 * The link layer of a guest: network devices, bridges between them, and the loopback pairs through which Domain-0
 * joins its own bridge.
 *
 * Frames come in from drivers and go out through them; what is addressed to this guest is handed up.
 * Behaviour: Linux 2.6.18 net/core/dev.c and net/bridge as far as an administrator can see it.
 */
import { BROADCAST_MAC, macText } from '../../lib/packet/addresses';
import { ETHERNET_HEADER } from '../../lib/packet/packet';
import type { NetDevice, NetDeviceRegistry } from '../services';
import { SysError } from '../sys';
import type { BridgeState, DeviceState, NetState } from './state';

/** How long a bridge remembers where an address was, ns. */
const AGEING_NS = 300e9;

/** Frames that may wait between devices of one guest. */
const INSIDE_LIMIT = 1000;

export interface LinkEnv {
  readonly nowNs: number;
  /** A frame for this guest arrived on `device`; on a bridge, through `port` of it. */
  receive(device: DeviceState, frame: Uint8Array, port?: DeviceState): void;
  /** May the bridge pass this frame on from one port to another? */
  mayBridge(frame: Uint8Array, bridge: DeviceState, from: DeviceState, to: DeviceState): boolean;
  /** Every frame that a device receives, for packet sockets, before anything else looks at it. */
  tap(device: DeviceState, frame: Uint8Array): void;
  /** Interfaces or their addresses changed. */
  changed(): void;
  /** The device may be plugged in somewhere else. */
  moved(device: DeviceState): void;
  /** A frame waits in `state.inside`: call `deliverInside` soon, but not from here. */
  frameWaits(): void;
}

export class Links implements NetDeviceRegistry {
  /** Drivers by device index; not state: a restored driver registers again. */
  readonly #drivers = new Map<number, NetDevice>();

  constructor(
    readonly state: NetState,
    readonly env: LinkEnv,
  ) {
    if (!state.devices.some((device) => device.kind === 'loopback')) {
      const lo = this.#newDevice('lo', 'loopback', '00:00:00:00:00:00');
      lo.mtu = 16436;
      lo.arp = false;
    }
  }

  // ---------------------------------------------------------------------------------------------- registry

  add(driver: NetDevice): (frame: Uint8Array) => void {
    const known = this.state.devices.find((device) => device.driverName === driver.name);
    const device = known ?? this.#newDevice(this.#freeName(driver.name), driver.kind, driver.mac, driver.name);
    device.carrier = driver.carrier;
    this.#drivers.set(device.index, driver);
    this.env.changed();
    return (frame) => this.input(device, frame);
  }

  remove(driverName: string): void {
    const device = this.state.devices.find((candidate) => candidate.driverName === driverName);
    if (device) this.#removeDevice(device);
  }

  nameOf(driver: NetDevice): string {
    return this.state.devices.find((device) => device.driverName === driver.name)?.name ?? driver.name;
  }

  announce(driver: NetDevice): void {
    const device = this.state.devices.find((candidate) => candidate.driverName === driver.name);
    if (device?.up) this.env.moved(device);
  }

  /** A pair of devices, each the other's cable end (netloop: veth0 and vif0.0). */
  addPair(name: string, mac: string, peerName: string, peerMac: string): void {
    if (this.state.devices.some((device) => device.driverName === name)) return;
    const a = this.#newDevice(name, 'ethernet', mac);
    const b = this.#newDevice(peerName, 'vif', peerMac);
    a.peer = b.index;
    b.peer = a.index;
    this.env.changed();
  }

  // ------------------------------------------------------------------------------------------- look-ups

  find(name: string): DeviceState | undefined {
    return this.state.devices.find((device) => device.name === name);
  }

  /** SysError ENODEV when there is none. */
  get(name: string): DeviceState {
    const device = this.find(name);
    if (!device) throw new SysError('ENODEV', name);
    return device;
  }

  byIndex(index: number): DeviceState | undefined {
    return this.state.devices.find((device) => device.index === index);
  }

  bridgeOf(device: DeviceState): BridgeState | undefined {
    return this.state.bridges.find((bridge) => bridge.device === device.index);
  }

  /** Up, and with somebody at the other end. */
  isRunning(device: DeviceState): boolean {
    if (!device.up) return false;
    if (device.kind === 'bridge') return true;
    const driver = this.#drivers.get(device.index);
    if (driver) return driver.carrier;
    if (device.peer !== undefined) return this.byIndex(device.peer)?.up ?? false;
    return device.carrier;
  }

  // ---------------------------------------------------------------------------------------------- frames

  /** A frame leaves through `device`. */
  output(device: DeviceState, frame: Uint8Array): void {
    if (!device.up) {
      device.txDropped++;
      return;
    }
    if (device.kind === 'bridge') {
      this.#count(device, 'tx', frame);
      const bridge = this.bridgeOf(device);
      if (bridge) this.#forward(bridge, frame, undefined);
      return;
    }
    this.env.tap(device, frame);
    if (!this.#transmit(device, frame)) device.txDropped++;
    else this.#count(device, 'tx', frame);
  }

  /** A frame came in from the driver of `device`. */
  input(device: DeviceState, frame: Uint8Array): void {
    if (!device.up) {
      device.rxDropped++;
      return;
    }
    if (frame.length < ETHERNET_HEADER) {
      device.rxErrors++;
      return;
    }
    this.#count(device, 'rx', frame);
    this.env.tap(device, frame);
    const bridge = device.master === undefined ? undefined : this.#bridge(device.master);
    if (!bridge) {
      this.#deliver(device, frame);
      return;
    }
    const own = this.byIndex(bridge.device)!;
    if (!own.up) return;
    this.#learn(bridge, macText(frame, 6), device.index);
    const destination = macText(frame, 0);
    const isGroup = (frame[0]! & 1) === 1;
    if (isGroup || destination === own.mac || own.promiscuous) {
      this.#count(own, 'rx', frame);
      this.env.tap(own, frame);
      this.#deliver(own, frame, device);
    }
    if (isGroup || destination !== own.mac) this.#forward(bridge, frame, device);
  }

  /** Delivers what waits between devices of this guest, and what that sends in turn. */
  deliverInside(): void {
    for (let next = this.state.inside.shift(); next; next = this.state.inside.shift()) {
      const device = this.byIndex(next.device);
      if (device) this.input(device, next.frame);
    }
  }

  #deliver(device: DeviceState, frame: Uint8Array, port?: DeviceState): void {
    const destination = macText(frame, 0);
    if ((frame[0]! & 1) === 1 || destination === device.mac || device.kind === 'loopback') {
      this.env.receive(device, frame, port);
    }
  }

  /** `from` is undefined for what this guest itself sends through the bridge. */
  #forward(bridge: BridgeState, frame: Uint8Array, from: DeviceState | undefined): void {
    const destination = macText(frame, 0);
    const known = destination === BROADCAST_MAC ? undefined : bridge.table.find((entry) => entry.mac === destination);
    const isFresh = known !== undefined && this.env.nowNs - known.seenNs < AGEING_NS;
    for (const port of isFresh ? [known.port] : bridge.ports) {
      if (port === from?.index) continue;
      const device = this.byIndex(port);
      if (!device?.up) continue;
      if (from && !this.env.mayBridge(frame, this.byIndex(bridge.device)!, from, device)) continue;
      this.output(device, frame);
    }
  }

  #learn(bridge: BridgeState, mac: string, port: number): void {
    const entry = bridge.table.find((candidate) => candidate.mac === mac);
    if (entry) {
      entry.port = port;
      entry.seenNs = this.env.nowNs;
      return;
    }
    bridge.table.push({ mac, port, seenNs: this.env.nowNs });
    if (bridge.table.length > 1024) bridge.table.shift();
  }

  #transmit(device: DeviceState, frame: Uint8Array): boolean {
    if (device.kind === 'loopback' || device.peer !== undefined) {
      const target = device.peer === undefined ? device : this.byIndex(device.peer);
      if (!target?.up || this.state.inside.length >= INSIDE_LIMIT) return false;
      this.state.inside.push({ device: target.index, frame });
      this.env.frameWaits();
      return true;
    }
    return this.#drivers.get(device.index)?.transmit(frame) ?? false;
  }

  // ------------------------------------------------------------------------------------------- bridges

  addBridge(name: string): void {
    if (this.find(name)) throw new SysError('EEXIST', name);
    const device = this.#newDevice(name, 'bridge', '00:00:00:00:00:00');
    this.state.bridges.push({ device: device.index, stp: false, forwardDelay: 15, ports: [], table: [] });
    this.env.changed();
  }

  /** SysError ENXIO: no such bridge; EBUSY: it is up. */
  deleteBridge(name: string): void {
    const device = this.find(name);
    const bridge = device && this.bridgeOf(device);
    if (!device || !bridge) throw new SysError('ENXIO', name);
    if (device.up) throw new SysError('EBUSY', name);
    for (const port of bridge.ports) {
      const member = this.byIndex(port);
      if (member) member.master = undefined;
    }
    this.#removeDevice(device);
  }

  addPort(bridgeName: string, deviceName: string): void {
    const bridge = this.#bridgeNamed(bridgeName);
    const device = this.get(deviceName);
    if (device.master !== undefined) throw new SysError('EBUSY', deviceName);
    if (device.kind === 'bridge' || device.kind === 'loopback') throw new SysError('EINVAL', deviceName);
    device.master = bridge.device;
    bridge.ports.push(device.index);
    this.#chooseBridgeAddress(bridge);
    this.env.changed();
  }

  removePort(bridgeName: string, deviceName: string): void {
    const bridge = this.#bridgeNamed(bridgeName);
    const device = this.get(deviceName);
    if (device.master !== bridge.device) throw new SysError('EINVAL', deviceName);
    this.#leave(bridge, device);
    this.env.changed();
  }

  setBridgeOption(name: string, change: { stp?: boolean; forwardDelay?: number }): void {
    Object.assign(this.#bridgeNamed(name), change);
  }

  /** `8000.` and the lowest address of its ports, as brctl shows it. */
  bridgeId(bridge: BridgeState): string {
    return `8000.${this.byIndex(bridge.device)!.mac.replaceAll(':', '')}`;
  }

  #bridge(index: number): BridgeState | undefined {
    return this.state.bridges.find((bridge) => bridge.device === index);
  }

  #bridgeNamed(name: string): BridgeState {
    const device = this.find(name);
    const bridge = device && this.bridgeOf(device);
    if (!bridge) throw new SysError('ENODEV', name);
    return bridge;
  }

  #leave(bridge: BridgeState, device: DeviceState): void {
    device.master = undefined;
    bridge.ports = bridge.ports.filter((port) => port !== device.index);
    bridge.table = bridge.table.filter((entry) => entry.port !== device.index);
    this.#chooseBridgeAddress(bridge);
  }

  #chooseBridgeAddress(bridge: BridgeState): void {
    const macs = bridge.ports.map((port) => this.byIndex(port)!.mac).sort();
    this.byIndex(bridge.device)!.mac = macs[0] ?? '00:00:00:00:00:00';
  }

  // ------------------------------------------------------------------------------------------- devices

  #newDevice(name: string, kind: DeviceState['kind'], mac: string, driverName = name): DeviceState {
    const device: DeviceState = {
      name,
      driverName,
      index: this.state.nextIndex++,
      kind,
      mac,
      mtu: 1500,
      up: false,
      carrier: true,
      promiscuous: false,
      arp: true,
      addresses: [],
      master: undefined,
      peer: undefined,
      rxPackets: 0,
      rxBytes: 0,
      rxErrors: 0,
      rxDropped: 0,
      txPackets: 0,
      txBytes: 0,
      txErrors: 0,
      txDropped: 0,
    };
    this.state.devices.push(device);
    return device;
  }

  #removeDevice(device: DeviceState): void {
    const bridge = device.master === undefined ? undefined : this.#bridge(device.master);
    if (bridge) this.#leave(bridge, device);
    this.state.bridges = this.state.bridges.filter((candidate) => candidate.device !== device.index);
    this.state.devices = this.state.devices.filter((candidate) => candidate !== device);
    this.state.routes = this.state.routes.filter((route) => route.device !== device.index);
    this.state.arp = this.state.arp.filter((entry) => entry.device !== device.index);
    this.#drivers.delete(device.index);
    this.env.changed();
  }

  #freeName(wanted: string): string {
    if (!this.find(wanted)) return wanted;
    const stem = wanted.replace(/\d+$/, '');
    for (let n = 0; ; n++) if (!this.find(`${stem}${n}`)) return `${stem}${n}`;
  }

  #count(device: DeviceState, way: 'rx' | 'tx', frame: Uint8Array): void {
    device[`${way}Packets`]++;
    device[`${way}Bytes`] += frame.length;
  }
}
