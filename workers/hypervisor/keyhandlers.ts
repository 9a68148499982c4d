/**
 * Debug keys: what each key does when the hypervisor has the serial input, or when `xm debug-keys` sends it.
 *
 * Source: xen/common/keyhandler.c, xen/common/event_channel.c, xen/common/page_alloc.c, Xen 3.4.
 */

import { vcpuInfo } from '../abi/sharedInfo';
import { VIRQ_DEBUG } from '../abi/xen';
import { crashDump } from './crashDump';
import type { Domain } from './domain';
import { formatHandle } from './domainInfo';
import { sendVcpuVirq } from './evtchn';
import { reportHypercalls, reportLine } from './hypercallReport';
import type { Hypervisor } from './hypervisor';
import { DEFAULT_PERIOD_NS } from './schedUnit';

export interface KeyHandler {
  readonly key: string;
  readonly description: string;
  run(hv: Hypervisor, print: (line: string) => void): void;
}

const hexKey = (key: string) => key.charCodeAt(0).toString(16).padStart(2, '0');
const nowPair = (ns: number) =>
  `0x${Math.floor(ns / 2 ** 32)
    .toString(16)
    .toUpperCase()}:${(ns >>> 0).toString(16).toUpperCase().padStart(8, '0')}`;

/** In ascii order. */
export const keyHandlers: readonly KeyHandler[] = [
  {
    key: '0',
    description: 'dump Dom0 registers',
    run(hv, print) {
      const dom0 = hv.domains()[0];
      if (!dom0) return;
      print("'0' pressed -> dumping Dom0's registers");
      for (const vcpu of dom0.vcpus) {
        print(`*** Dumping Dom0 vcpu#${vcpu.id} state: ***`);
        for (const line of crashDump(vcpu, vcpu.unit.processor)) print(line);
      }
    },
  },
  {
    key: 'H',
    description: 'dump heap info',
    run(hv, print) {
      print(`'H' pressed -> dumping heap info (now-${nowPair(hv.clock.nowNs)})`);
      print(`heap[node=0][zone=0] -> ${hv.memory.xenheapFreePages} pages`);
      print(`heap[node=0][zone=1] -> ${hv.memory.freePages} pages`);
    },
  },
  {
    key: 'R',
    description: 'reboot machine',
    run(hv, print) {
      print("'R' pressed -> rebooting machine");
      hv.machineAction('reboot');
    },
  },
  {
    key: 'd',
    description: 'dump registers',
    run(hv, print) {
      print("'d' pressed -> dumping registers");
      for (const { id } of hv.schedule.pcpus) {
        const { domid, vcpuId, isIdle } = hv.schedule.currentOn(id);
        const vcpu = hv.findDomain(domid)?.vcpus[vcpuId];
        print(`*** Dumping CPU${id} guest state: ***`);
        if (isIdle || !vcpu) print('No guest context (CPU is idle).');
        else for (const line of crashDump(vcpu, id)) print(line);
      }
    },
  },
  { key: 'e', description: 'dump evtchn info', run: dumpEvtchns },
  {
    key: 'h',
    description: 'show this message',
    run(_hv, print) {
      print("'h' pressed -> showing installed handlers");
      for (const { key, description } of keyHandlers) print(` key '${key}' (ascii '${hexKey(key)}') => ${description}`);
    },
  },
  {
    // Differs from Xen, which has no such key.
    key: 'l',
    description: 'list hypercalls of domains',
    run(hv, print) {
      print("'l' pressed -> listing hypercalls, in the order of their first calls");
      for (const { domid, hypercalls } of hv.domains()) {
        print(`Hypercalls of domain ${domid}:`);
        for (const report of reportHypercalls(hypercalls)) print(reportLine(report));
      }
    },
  },
  {
    key: 'm',
    description: 'memory info',
    run({ memory }, print) {
      print('Physical memory information:');
      print(`    Xen heap: ${memory.xenheapFreePages * 4}kB free`);
      print(`    heap[30]: ${memory.freePages * 4}kB free`);
      print(`    Dom heap: ${memory.freePages * 4}kB free`);
    },
  },
  { key: 'q', description: 'dump domain (and guest debug) info', run: dumpDomains },
  {
    key: 'r',
    description: 'dump run queues',
    run: (hv, print) => hv.schedule.dumpRunq(print),
  },
  {
    key: 't',
    description: 'display multi-cpu clock info',
    run(_hv, print) {
      // All time stamp counters are one clock.
      print('Synced stime skew: max=0ns avg=0ns samples=1 current=0ns');
      print('Synced cycles skew: max=0 avg=0 samples=1 current=0');
    },
  },
  {
    key: 'u',
    description: 'dump numa info',
    run(hv, print) {
      print(`'u' pressed -> dumping numa info (now-${nowPair(hv.clock.nowNs)})`);
      print(`idx0 -> NODE0 start->0 size->${hv.memory.frames}`);
      for (const { id } of hv.schedule.pcpus) print(`CPU${id} -> NODE0`);
      print('Memory location of each domain:');
      for (const { domid, totPages } of hv.domains()) {
        print(`Domain ${domid} (total: ${totPages}):`);
        print(`    Node 0: ${totPages}`);
      }
    },
  },
];

/** Runs the handler of a key; a key without one does nothing. */
export function runKeyHandler(hv: Hypervisor, key: string): void {
  keyHandlers.find((handler) => handler.key === key)?.run(hv, (line) => hv.console.print(line));
}

const stateNumber = { free: 0, reserved: 1, unbound: 2, interdomain: 3, virq: 5, ipi: 6 } as const;

function dumpEvtchns(hv: Hypervisor, print: (line: string) => void): void {
  print("'e' pressed -> dumping event-channel info");
  for (const domain of hv.domains()) {
    const polling = domain.vcpus.reduce((mask, vcpu) => (vcpu.polling ? mask | (1 << vcpu.id) : mask), 0) >>> 0;
    print(`Domain ${domain.domid} polling vCPUs: ${polling.toString(16).padStart(8, '0')}`);
    print(`Event channel information for domain ${domain.domid}:`);
    for (let port = 1; port < domain.evtchns.size; port++) {
      const evtchn = domain.evtchns.at(port);
      if (evtchn.state === 'free' || evtchn.state === 'reserved') continue;
      const bits = `${domain.sharedInfo.isPending(port) ? 1 : 0}/${domain.sharedInfo.isMasked(port) ? 1 : 0}`;
      let line = `    ${String(port).padStart(4)}[${bits}]: s=${stateNumber[evtchn.state]} n=${evtchn.notifyVcpu}`;
      if (evtchn.state === 'unbound') line += ` d=${evtchn.remoteDomid}`;
      if (evtchn.state === 'interdomain') line += ` d=${evtchn.remoteDomid} p=${evtchn.remotePort}`;
      if (evtchn.state === 'virq') line += ` v=${evtchn.virq}`;
      print(`${line} x=0`);
    }
  }
}

function dumpDomains(hv: Hypervisor, print: (line: string) => void): void {
  print(`'q' pressed -> dumping domain info (now=${nowPair(hv.clock.nowNs)})`);
  for (const domain of hv.domains()) dumpDomain(hv, domain, print);
  for (const domain of hv.domains()) {
    for (const vcpu of domain.vcpus) {
      const port = vcpu.virqToPort[VIRQ_DEBUG]!;
      const bits = [
        domain.sharedInfo.isPending(port),
        domain.sharedInfo.isMasked(port),
        ((vcpu.info.getUint32(vcpuInfo.evtchn_pending_sel, true) >>> (port >>> 5)) & 1) !== 0,
      ].map((bit) => (bit ? 1 : 0));
      print(`Notifying guest ${domain.domid}:${vcpu.id} (virq ${VIRQ_DEBUG}, port ${port}, stat ${bits.join('/')})`);
      sendVcpuVirq(vcpu, VIRQ_DEBUG);
    }
  }
}

function dumpDomain(hv: Hypervisor, domain: Domain, print: (line: string) => void): void {
  const { domid, totPages, xenheapPages, maxPages } = domain;
  const dying = { alive: 0, dying: 1, dead: 2 }[domain.dying];
  const running = domain.vcpus.filter(({ unit }) => unit.isRunning).map(({ unit }) => unit.processor);
  print(`General information for domain ${domid}:`);
  print(
    `    refcnt=${1 + (totPages > 0 ? 1 : 0) + (xenheapPages > 0 ? 1 : 0)} dying=${dying} nr_pages=${totPages} ` +
      `xenheap_pages=${xenheapPages} dirty_cpus={${running.join(',')}} max_pages=${maxPages}`,
  );
  print(`    handle=${formatHandle(domain.handle)} vm_assist=${domain.vmAssist.toString(16).padStart(8, '0')}`);
  print(`VCPU information and callbacks for domain ${domid}:`);
  for (const vcpu of domain.vcpus) {
    const { unit } = vcpu;
    const hex = (value: boolean) => (value ? '01' : '00');
    const polled = vcpu.polling ? (vcpu.polling.port === 'any' ? -1 : vcpu.polling.port) : 0;
    const affinity = cpuList(unit.affinity.size === hv.schedule.pcpus.length ? new Set(allCpus) : unit.affinity);
    print(
      `    VCPU${vcpu.id}: CPU${unit.processor} [has=${unit.isRunning ? 'T' : 'F'}] flags=${unit.flags.toString(16)} ` +
        `poll=${polled} upcall_pend = ${hex(vcpu.isUpcallPending)}, upcall_mask = ${hex(vcpu.isUpcallMasked)} ` +
        `dirty_cpus={${unit.isRunning ? unit.processor : ''}} cpu_affinity={${affinity}}`,
    );
    print(`    ${describePeriod(unit.periodNs)}`);
  }
}

const allCpus = Array.from({ length: 32 }, (_, cpu) => cpu);

function describePeriod(periodNs: number): string {
  if (periodNs === 0) return 'No periodic timer';
  const hz = Math.floor((100 * DEFAULT_PERIOD_NS) / periodNs);
  return `${hz} Hz periodic timer (period ${Math.floor(periodNs / 1e6)} ms)`;
}

/** `0-3,5`. */
function cpuList(cpus: ReadonlySet<number>): string {
  const sorted = [...cpus].sort((a, b) => a - b);
  const ranges: [number, number][] = [];
  for (const cpu of sorted) {
    const last = ranges.at(-1);
    if (last && last[1] === cpu - 1) last[1] = cpu;
    else ranges.push([cpu, cpu]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}
