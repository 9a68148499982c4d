/**
 * What the toolstack asks of a running guest through the store: to shut down, a SysRq key, vcpus on- and offline.
 *
 * `control/shutdown` is acknowledged by writing it back empty before the guest acts (linux-2.6.18-xen
 * drivers/xen/core/reboot.c, cpu_hotplug.c).
 */
import type { KernelServices } from './services';

export interface ControlActions {
  /** Runs /sbin/poweroff. */
  powerOff(): void;
  /** The Ctrl-Alt-Del action. */
  reboot(): void;
  suspend(): void;
  /** One character. */
  sysrq(key: string): void;
  setVcpuOnline(vcpu: number, online: boolean): void;
}

export function watchControl(
  services: Pick<KernelServices, 'xenbus' | 'log'>,
  vcpus: number,
  actions: ControlActions,
): void {
  const { xenbus } = services;
  xenbus.watch('control/shutdown', () => {
    xenbus.read('control/shutdown', (request) => {
      if (!request) return;
      xenbus.write({ 'control/shutdown': '' }, () => {
        if (request === 'poweroff' || request === 'halt') actions.powerOff();
        else if (request === 'reboot') actions.reboot();
        else if (request === 'suspend') actions.suspend();
        else services.log.printk(`Ignoring shutdown request: ${request}`);
      });
    });
  });
  xenbus.watch('control/sysrq', () => {
    xenbus.read('control/sysrq', (key) => {
      if (!key || key === '\0') return;
      xenbus.write({ 'control/sysrq': '\0' }, () => actions.sysrq(key[0]!));
    });
  });
  xenbus.watch('cpu', (path) => {
    const named = /cpu\/(\d+)/.exec(path);
    const changed = named ? [Number(named[1])] : Array.from({ length: vcpus }, (_, i) => i);
    for (const vcpu of changed) if (vcpu < vcpus) readAvailability(services, vcpu, actions);
  });
}

function readAvailability(
  services: Pick<KernelServices, 'xenbus' | 'log'>,
  vcpu: number,
  actions: ControlActions,
): void {
  services.xenbus.read(`cpu/${vcpu}/availability`, (state) => {
    if (state === 'online') actions.setVcpuOnline(vcpu, true);
    else if (state === 'offline') actions.setVcpuOnline(vcpu, false);
    else if (state !== undefined) services.log.printk(`XENBUS: unknown state(${state}) on CPU${vcpu}`);
  });
}
