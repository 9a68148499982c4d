/** What an administrator sets on the network: interfaces and their addresses, routes, the ARP table. */
import { broadcastOf, ipText, maskOf, networkOf, parseMac } from '../../lib/packet/addresses';
import { type InterfaceInfo, type RouteInfo, SysError } from '../sys';
import { classPrefix, toIp } from './addressText';
import type { Ip } from './ip';
import type { Links } from './links';
import type { DeviceState, NetState, RouteState } from './state';

export class NetConfiguration {
  constructor(
    readonly state: NetState,
    readonly links: Links,
    readonly ip: Ip,
    /** Interfaces, addresses or routes are different now. */
    readonly changed: () => void,
  ) {}

  interfaces(): readonly InterfaceInfo[] {
    return this.state.devices.map((device) => this.#interfaceInfo(device));
  }

  setUp(name: string, up: boolean): void {
    this.ip.setUp(this.links.get(name), up);
    this.changed();
  }

  /** Replaces all addresses of the interface; undefined removes them. */
  setAddress(name: string, address: string | undefined, prefixLength?: number): void {
    const device = this.links.get(name);
    const value = address === undefined ? undefined : toIp(address);
    for (const own of [...device.addresses]) this.ip.removeAddress(device, own.address);
    if (value !== undefined && value !== 0) this.ip.addAddress(device, value, prefixLength ?? classPrefix(value));
    this.changed();
  }

  addAddress(name: string, address: string, prefixLength: number): void {
    this.ip.addAddress(this.links.get(name), toIp(address), prefixLength);
    this.changed();
  }

  /** SysError EADDRNOTAVAIL when the interface does not have it. */
  removeAddress(name: string, address: string): void {
    const device = this.links.get(name);
    const value = toIp(address);
    if (!device.addresses.some((own) => own.address === value)) throw new SysError('EADDRNOTAVAIL');
    this.ip.removeAddress(device, value);
    this.changed();
  }

  setMac(name: string, mac: string): void {
    const device = this.links.get(name);
    if (!parseMac(mac)) throw new SysError('EINVAL', mac);
    device.mac = mac.toLowerCase();
    this.changed();
  }

  setMtu(name: string, mtu: number): void {
    if (!Number.isInteger(mtu) || mtu < 68 || mtu > 65535) throw new SysError('EINVAL');
    this.links.get(name).mtu = mtu;
  }

  setArp(name: string, on: boolean): void {
    this.links.get(name).arp = on;
  }

  setPromiscuous(name: string, on: boolean): void {
    this.links.get(name).promiscuous = on;
  }

  /** SysError EBUSY while the interface is up, EEXIST when the new name is taken. */
  rename(name: string, to: string): void {
    const device = this.links.get(name);
    if (device.up) throw new SysError('EBUSY', name);
    if (this.links.find(to)) throw new SysError('EEXIST', to);
    if (to.length === 0 || to.length > 15 || /[/\s]/.test(to)) throw new SysError('EINVAL', to);
    device.name = to;
    this.changed();
  }

  bridges(): readonly { name: string; id: string; stp: boolean; ports: readonly string[] }[] {
    return this.state.bridges.map((bridge) => ({
      name: this.links.byIndex(bridge.device)!.name,
      id: this.links.bridgeId(bridge),
      stp: bridge.stp,
      ports: bridge.ports.map((port) => this.links.byIndex(port)!.name),
    }));
  }

  #interfaceInfo(device: DeviceState): InterfaceInfo {
    const own = device.addresses[0];
    const master = device.master === undefined ? undefined : this.links.byIndex(device.master)?.name;
    return {
      name: device.name,
      index: device.index,
      mac: device.mac,
      mtu: device.mtu,
      up: device.up,
      running: this.links.isRunning(device),
      promiscuous: device.promiscuous,
      kind: device.kind,
      ...(own
        ? {
            address: ipText(own.address),
            prefixLength: own.prefixLength,
            broadcast: ipText(broadcastOf(own.address, own.prefixLength)),
          }
        : {}),
      ...(master === undefined ? {} : { master }),
      addresses: device.addresses.map((each) => ({ address: ipText(each.address), prefixLength: each.prefixLength })),
      arp: device.arp,
      rxPackets: device.rxPackets,
      rxBytes: device.rxBytes,
      rxErrors: device.rxErrors,
      rxDropped: device.rxDropped,
      txPackets: device.txPackets,
      txBytes: device.txBytes,
      txErrors: device.txErrors,
      txDropped: device.txDropped,
    };
  }

  // ------------------------------------------------------------------------------------------- routes and ARP

  routes(): readonly RouteInfo[] {
    return this.state.routes.map((route) => ({
      destination: ipText(route.destination),
      prefixLength: route.prefixLength,
      ...(route.gateway === undefined ? {} : { gateway: ipText(route.gateway) }),
      device: this.links.byIndex(route.device)!.name,
      ...(route.source === undefined ? {} : { source: ipText(route.source) }),
      metric: route.metric,
    }));
  }

  /** SysError EEXIST for a duplicate, ENETUNREACH when the gateway is not on a network of ours, EINVAL for host bits. */
  addRoute(route: RouteInfo): void {
    const destination = toIp(route.destination);
    if (networkOf(destination, route.prefixLength) !== destination) throw new SysError('EINVAL');
    const gateway = route.gateway === undefined ? undefined : toIp(route.gateway);
    let device = route.device === '' ? undefined : this.links.get(route.device);
    if (!device) {
      const via = gateway === undefined ? undefined : this.ip.routeTo(gateway);
      device = via && this.links.byIndex(via.device);
      if (!device) throw new SysError('ENETUNREACH');
    }
    if (!device.up) throw new SysError('ENETDOWN');
    if (gateway !== undefined && !this.#isOnLink(device, gateway)) throw new SysError('ENETUNREACH');
    const added: RouteState = {
      destination,
      prefixLength: route.prefixLength,
      gateway,
      device: device.index,
      source: route.source === undefined ? undefined : toIp(route.source),
      metric: route.metric,
    };
    const isKnown = this.state.routes.some(
      (other) =>
        other.destination === destination &&
        other.prefixLength === added.prefixLength &&
        other.metric === added.metric &&
        other.device === added.device &&
        other.gateway === gateway,
    );
    if (isKnown) throw new SysError('EEXIST');
    this.state.routes.push(added);
  }

  /** SysError ESRCH when no route matches. */
  deleteRoute(route: Partial<RouteInfo> & { destination: string; prefixLength: number }): void {
    const destination = toIp(route.destination);
    const index = this.state.routes.findIndex(
      (candidate) =>
        candidate.destination === destination &&
        candidate.prefixLength === route.prefixLength &&
        (route.gateway === undefined || candidate.gateway === toIp(route.gateway)) &&
        (route.device === undefined || this.links.byIndex(candidate.device)?.name === route.device),
    );
    if (index < 0) throw new SysError('ESRCH');
    this.state.routes.splice(index, 1);
  }

  arpTable(): readonly { address: string; mac: string; device: string; complete: boolean }[] {
    return this.state.arp.map((entry) => ({
      address: ipText(entry.address),
      mac: entry.mac ?? '00:00:00:00:00:00',
      device: this.links.byIndex(entry.device)?.name ?? '?',
      complete: entry.mac !== undefined,
    }));
  }

  /** SysError ENXIO when there is no such entry. */
  deleteArp(address: string): void {
    const value = toIp(address);
    const before = this.state.arp.length;
    this.state.arp = this.state.arp.filter((entry) => entry.address !== value);
    if (this.state.arp.length === before) throw new SysError('ENXIO', address);
  }

  #isOnLink(device: DeviceState, address: number): boolean {
    return (
      device.addresses.some(
        (own) => networkOf(own.address, own.prefixLength) === networkOf(address, own.prefixLength),
      ) ||
      this.state.routes.some(
        (route) =>
          route.device === device.index &&
          route.gateway === undefined &&
          ((route.destination ^ address) & maskOf(route.prefixLength)) === 0,
      )
    );
  }
}
