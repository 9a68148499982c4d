import { expect, it } from 'vitest';
import { DOMID_SELF, hypercall } from '../abi/xen';
import { ok, TestHypervisor } from './testing';

function press(host: TestHypervisor, keys: string): string[] {
  const before = host.serial.length;
  for (const key of keys) host.hv.handleKey(key);
  return host.serial
    .slice(before)
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace('(XEN) ', ''));
}

it('h lists the installed handlers in ascii order', () => {
  const [title, ...handlers] = press(new TestHypervisor(), 'h');
  expect(title).toBe("'h' pressed -> showing installed handlers");
  expect(handlers[0]).toBe(" key '0' (ascii '30') => dump Dom0 registers");
  expect(handlers).toEqual([...handlers].sort());
});

it('e shows every open event channel', () => {
  const host = new TestHypervisor();
  ok(host.dom0.callWith(hypercall.event_channel_op, 6, [DOMID_SELF | (3 << 16), 0]));
  ok(host.dom0.callWith(hypercall.event_channel_op, 1, [2, 0, 0]));
  expect(press(host, 'e')).toEqual([
    "'e' pressed -> dumping event-channel info",
    'Domain 0 polling vCPUs: 00000000',
    'Event channel information for domain 0:',
    '       1[0/0]: s=2 n=0 d=3 x=0',
    '       2[0/0]: s=5 n=0 v=2 x=0',
  ]);
});

it('q shows domains and vcpus in the format of Xen 3.4', () => {
  const host = new TestHypervisor();
  host.createGuest({ pages: 16 });
  host.advance(1e6);
  const shown = press(host, 'q');
  expect(shown).toContain('General information for domain 1:');
  expect(shown).toContain('    refcnt=3 dying=0 nr_pages=16 xenheap_pages=5 dirty_cpus={} max_pages=16');
  expect(shown).toContain('    100 Hz periodic timer (period 10 ms)');
  expect(shown.find((line) => line.startsWith('    VCPU0: CPU1'))).toContain('cpu_affinity={0-31}');
  expect(shown).toContain('Notifying guest 1:0 (virq 1, port 0, stat 0/0/0)');
});

it('r shows the run queues, m the memory, R reboots', () => {
  const host = new TestHypervisor();
  expect(press(host, 'r')[0]).toBe('Scheduler: SMP Credit Scheduler (credit)');
  expect(press(host, 'm')).toContain(`    Dom heap: ${host.hv.memory.freePages * 4}kB free`);
  press(host, 'R');
  expect(host.actions).toEqual(['reboot']);
});
