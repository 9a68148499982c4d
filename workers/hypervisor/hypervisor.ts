/**
 * The hypervisor: the machine's memory and processors, the domains on them, and the one door through which domains reach
 * it, the hypercall.
 *
 * `boot` prints what Xen prints and starts the pcpus, `createDom0` builds the first domain; everything after that is asked
 * for by domains. What views may look at stands under "inspection".
 */
import { type FindRunner, type GuestCpu, PageFault } from '../abi/cpu';
import {
  DOM0,
  type Domid,
  SHUTDOWN_crash,
  SHUTDOWN_poweroff,
  SHUTDOWN_reboot,
  VIRQ_CON_RING,
  VIRQ_CONSOLE,
  VIRQ_TBUF,
} from '../abi/xen';
import type { EventQueue } from '../lib/clock';
import { XenError } from '../lib/errno';
import type { Random } from '../lib/random';
import { machineMap, printBoot, printEndOfBoot } from './bootMessages';
import { integerOption, parseCommandLine, parseSize, type XenCommandLine } from './commandLine';
import { buildDom0, type Dom0Options, startDom0 } from './dom0Build';
import type { Domain, E820Entry } from './domain';
import { sendGlobalVirq } from './evtchn';
import { DEFAULT_MAX_GRANT_FRAMES } from './grantTable';
import { dispatch } from './hypercalls';
import { runKeyHandler } from './keyhandlers';
import { crashDomain } from './lifecycle';
import { MachineMemory } from './memory/frames';
import { entryState } from './registers';
import { isOptionOn } from './sched/options';
import type { SchedulerKind } from './sched/scheduler';
import { Schedule } from './schedule';
import { writeWallclock } from './time';
import type { Topology } from './topology';
import { TraceBuffers } from './trace';
import { translatedCpu } from './translatedCpu';
import type { Vcpu } from './vcpu';
import { XenConsole } from './xenConsole';
import type { SecurityHooks } from './xsm/hooks';
import { nullHooks } from './xsm/nullHooks';

export type MachineAction = 'halt' | 'reboot';

/** How long a machine waits before it reboots after a crash of Domain-0, ns. */
const CRASH_REBOOT_DELAY_NS = 5_000_000_000;

export interface HypervisorArguments {
  readonly clock: EventQueue;
  readonly random: Random;
  readonly topology: Topology;
  readonly memoryMiB: number;
  /** What `sched=` chose, and what Xen prints about the choice (see sched/index.ts, chooseScheduler). */
  readonly scheduler: { readonly kind: SchedulerKind; readonly messages: readonly string[] };
  /** Xen's command line, image name included or not. */
  readonly commandLine: string;
  readonly findRunner: FindRunner;
  serialOut(bytes: Uint8Array): void;
  /** UTC when the machine was switched on, s. */
  readonly bootUnixSeconds: number;
  /** Domain-0 has shut down, or key R was pressed. */
  onMachineAction(action: MachineAction): void;
  /** A runner threw: its domain crashes, and whoever looks for bugs learns why. */
  onGuestFault?(domid: Domid, error: unknown): void;
  readonly hooks?: SecurityHooks;
}

export class Hypervisor {
  readonly clock: EventQueue;
  readonly random: Random;
  readonly topology: Topology;
  readonly commandLine: XenCommandLine;
  readonly memory: MachineMemory;
  readonly machineMap: readonly E820Entry[];
  readonly schedule: Schedule;
  readonly console: XenConsole;
  readonly trace: TraceBuffers;
  readonly hooks: SecurityHooks;
  readonly maxGrantFrames: number;
  /** Candidate for the next domain id is one more. */
  lastDomid = 0;
  isScrubbing = false;
  readonly #args: HypervisorArguments;
  readonly #domains = new Map<Domid, Domain>();
  #wallclock: { readonly seconds: number; readonly nanoseconds: number };
  #hasEnded = false;

  constructor(args: HypervisorArguments) {
    this.#args = args;
    this.clock = args.clock;
    this.random = args.random;
    this.topology = limitTopology(args.topology, parseCommandLine(args.commandLine).options);
    this.commandLine = parseCommandLine(args.commandLine);
    this.hooks = args.hooks ?? nullHooks();
    this.#wallclock = { seconds: args.bootUnixSeconds, nanoseconds: 0 };
    const installed = args.memoryMiB * 256;
    const limit = Math.floor((parseSize(this.options.get('mem') ?? '') ?? Number.POSITIVE_INFINITY) / 4096);
    this.memory = new MachineMemory(Math.min(installed, limit));
    this.machineMap = machineMap(this.memory.frames);
    this.maxGrantFrames = integerOption(this.options, 'gnttab_max_nr_frames') || DEFAULT_MAX_GRANT_FRAMES;
    this.console = new XenConsole(
      {
        clock: args.clock,
        bootUnixSeconds: args.bootUnixSeconds,
        serialOut: (bytes) => args.serialOut(bytes),
        inputArrived: () => this.sendDom0Virq(VIRQ_CONSOLE),
        ringGrew: () => this.sendDom0Virq(VIRQ_CON_RING),
        handleKey: (key) => this.handleKey(key),
      },
      this.options,
    );
    this.schedule = new Schedule({
      clock: args.clock,
      topology: this.topology,
      kind: args.scheduler.kind,
      options: this.options,
      trace: (event, ...words) => this.trace.record(event, ...words),
    });
    this.trace = new TraceBuffers(traceHost(this), this.memory, this.schedule.pcpus.length);
  }

  get options(): ReadonlyMap<string, string> {
    return this.commandLine.options;
  }

  // --- the machine's side

  /** Prints the boot messages up to Domain-0's and starts the pcpus. */
  boot(): void {
    printBoot(this, this.#args.scheduler.messages);
    const { clock, console } = this;
    this.hooks.start?.({
      print: (line) => console.print(line),
      get nowNs() {
        return clock.nowNs;
      },
    });
    const tracePages = this.#tracePages;
    if (tracePages > 0) {
      this.trace.setSize(tracePages);
      this.trace.enable();
    }
    this.schedule.start();
  }

  /** Builds Domain-0, prints the rest of the boot messages, and lets it run. XenError: what Xen would panic about. */
  createDom0(options: Dom0Options): Domain {
    try {
      const domain = buildDom0(this, options);
      printEndOfBoot(this, this.#tracePages);
      startDom0(this, domain);
      return domain;
    } catch (error) {
      if (error instanceof XenError) this.#panic(error.detail);
      throw error;
    }
  }

  /** Bytes typed on the serial line. */
  serialInput(bytes: Uint8Array): void {
    this.console.serialInput(bytes);
  }

  // --- inspection

  /** All domains, dying ones too, in the order of their ids. */
  domains(): readonly Domain[] {
    return [...this.#domains.values()].sort((a, b) => a.domid - b.domid);
  }

  /** Time for which a pcpu had nothing to do, ns. */
  pcpuIdleNs(pcpu: number): number {
    return this.schedule.idleNs(pcpu);
  }

  // --- what the parts of the hypervisor ask of the whole

  findDomain(domid: Domid): Domain | undefined {
    return this.#domains.get(domid);
  }

  /** Throws ESRCH. */
  domain(domid: Domid): Domain {
    const domain = this.#domains.get(domid);
    if (!domain) throw new XenError('ESRCH', `no domain ${domid}`);
    return domain;
  }

  addDomain(domain: Domain): void {
    this.#domains.set(domain.domid, domain);
  }

  removeDomain(domain: Domain): void {
    this.#domains.delete(domain.domid);
  }

  /** UTC at system time 0. */
  get wallclock(): { readonly seconds: number; readonly nanoseconds: number } {
    return this.#wallclock;
  }

  setWallclock(seconds: number, nanoseconds: number): void {
    this.#wallclock = { seconds, nanoseconds };
    for (const domain of this.#domains.values()) if (!domain.isDying) writeWallclock(domain, seconds, nanoseconds);
  }

  /** Raises a global virtual interrupt of Domain-0; dropped while there is none. */
  sendDom0Virq(virq: number): void {
    const dom0 = this.#domains.get(DOM0);
    if (dom0) sendGlobalVirq(dom0, virq);
  }

  handleKey(key: string): void {
    runKeyHandler(this, key);
  }

  machineAction(action: MachineAction): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const dom0 = this.#domains.get(DOM0);
    for (const vcpu of dom0?.vcpus ?? []) vcpu.stopTimers();
    for (const domid of this.#domains.keys()) this.schedule.pauseDomain(domid);
    this.#args.onMachineAction(action);
  }

  /** Domain-0's end is the machine's (dom0_shutdown in xen/common/shutdown.c). */
  dom0Shutdown(reason: number): void {
    if (reason === SHUTDOWN_poweroff) {
      this.console.print('Domain 0 halted: halting machine.');
      this.machineAction('halt');
    } else if (reason === SHUTDOWN_reboot) {
      this.console.print('Domain 0 shutdown: rebooting machine.');
      this.machineAction('reboot');
    } else {
      const what = reason === SHUTDOWN_crash ? 'crashed' : `shutdown (unknown reason ${reason})`;
      this.#rebootSoon(`Domain 0 ${what}: `);
    }
  }

  #rebootSoon(why: string): void {
    if (isOptionOn(this.options, 'noreboot')) {
      this.console.print(`${why}'noreboot' set - not rebooting.`);
      this.machineAction('halt');
      return;
    }
    this.console.print(`${why}rebooting machine in 5 seconds.`);
    this.schedule.pauseDomain(DOM0);
    this.clock.at(this.clock.nowNs + CRASH_REBOOT_DELAY_NS, () => this.machineAction('reboot'));
  }

  /**
   * A translated domain's processor is made ready when its first vcpu gets its registers, before anybody shares pages
   * with the domain. EAGAIN: ask again; ENODEV: this machine has no such processor.
   */
  prepareProcessor(domain: Domain): void {
    let isReady: boolean;
    try {
      domain.runner ??= this.#findRunner(domain);
      isReady = domain.runner?.prepare?.() ?? domain.runner !== undefined;
    } catch (error) {
      this.console.printGuest(`d${domain.domid}: no processor: ${describeFault(error)}`, 'error');
      throw new XenError('ENODEV', describeFault(error));
    }
    if (!domain.runner) throw new XenError('ENODEV', 'no processor for translated domains');
    if (!isReady) throw new XenError('EAGAIN', 'the processor is not ready yet');
  }

  /** Gives a vcpu its slice; whatever its runner throws crashes the domain and nothing else. */
  runVcpu(vcpu: Vcpu, budgetNs: number): number {
    const { domain } = vcpu;
    try {
      domain.runner ??= this.#findRunner(domain);
      if (domain.runner) return domain.runner.run(vcpu.id, budgetNs);
      this.console.printGuest(`d${domain.domid}:v${vcpu.id}: invalid opcode at entry`, 'error');
    } catch (error) {
      this.console.printGuest(`d${domain.domid}:v${vcpu.id}: unhandled fault: ${describeFault(error)}`, 'error');
      this.#args.onGuestFault?.(domain.domid, error);
    }
    crashDomain(this, vcpu);
    return 0;
  }

  /** The last lines of a boot that failed (panic in xen/drivers/char/console.c). */
  #panic(reason: string): void {
    this.console.print(reason, 'error');
    const frame = '****************************************';
    for (const line of ['', frame, 'Panic on CPU 0:', 'Could not set up DOM0 guest OS', frame, '']) {
      this.console.print(line, 'error');
    }
    const noReboot = isOptionOn(this.options, 'noreboot');
    this.console.print(
      noReboot ? "Manual reset required ('noreboot' specified)" : 'Reboot in five seconds...',
      'error',
    );
  }

  #findRunner(domain: Domain) {
    domain.cpu = this.guestCpu(domain);
    const entry = domain.vcpus[0] && entryState(domain.vcpus[0]);
    return entry && this.#args.findRunner(domain.cpu, entry);
  }

  /** The processor as a domain's instructions see it. */
  guestCpu(domain: Domain): GuestCpu {
    return {
      hypercall: (vcpuId, op, ...args) => {
        const vcpu = domain.vcpus[vcpuId];
        if (!vcpu || domain.isDying) throw new Error(`d${domain.domid} has no vcpu ${vcpuId}`);
        return dispatch({ hv: this, domain, vcpu }, op, args);
      },
      page: (va) => domain.space.page(va),
      peek: (va) => domain.space.peek(va),
      tsc: (vcpuId) => {
        const vcpu = domain.vcpus[vcpuId];
        return vcpu ? this.schedule.nowInSlice(vcpu.unit) : this.clock.nowNs;
      },
      mfnOf: (pfn) => domain.space.p2m.get(pfn),
      ...(domain.isTranslated ? { translated: translatedCpu(this, domain) } : {}),
    };
  }

  get #tracePages(): number {
    return integerOption(this.options, 'tbuf_size') ?? 0;
  }
}

function traceHost(hv: Hypervisor) {
  return {
    get nowNs() {
      return hv.clock.nowNs;
    },
    get executingPcpu() {
      return hv.schedule.executingPcpu;
    },
    currentOn: (pcpu: number) => hv.schedule.currentOn(pcpu),
    halfFull: () => hv.sendDom0Virq(VIRQ_TBUF),
  };
}

/** `nosmp` and `maxcpus=`: so many cores with one thread each, one at least. */
function limitTopology(topology: Topology, options: ReadonlyMap<string, string>): Topology {
  const all = topology.sockets * topology.cores * topology.threads;
  const limit = isOptionOn(options, 'nosmp') ? 1 : (integerOption(options, 'maxcpus') ?? all);
  if (limit >= all) return topology;
  return { sockets: 1, cores: Math.max(1, limit), threads: 1 };
}

function describeFault(error: unknown): string {
  if (error instanceof PageFault) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
