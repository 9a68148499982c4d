/** What `xm info` prints about the host, asked of the hypervisor and of Domain-0's kernel (xend/XendNode.py in Xen 3.4). */
import type { XendEnvironment } from './environment';
import type { Xc } from './xc';

const PAGES_PER_MIB = 256;

/** Keys and values in the order in which xm prints them. */
export function nodeInfo(environment: XendEnvironment, xc: Xc): readonly (readonly [string, string])[] {
  const uname = environment.uname();
  const physical = xc.physInfo();
  const version = xc.version();
  const compile = xc.compileInfo();
  const totalMiB = Math.floor(physical.totalPages / PAGES_PER_MIB);
  const freeMiB = Math.floor((physical.freePages + physical.scrubPages) / PAGES_PER_MIB);
  const lastCpu = physical.nrCpus - 1;
  return [
    ['host', uname.nodename],
    ['release', uname.release],
    ['version', uname.version],
    ['machine', uname.machine],
    ['nr_cpus', String(physical.nrCpus)],
    ['nr_nodes', String(physical.nrNodes)],
    ['cores_per_socket', String(physical.coresPerSocket)],
    ['threads_per_core', String(physical.threadsPerCore)],
    ['cpu_mhz', String(Math.floor(physical.cpuKhz / 1000))],
    ['hw_caps', physical.hwCap.map((word) => word.toString(16).padStart(8, '0')).join(':')],
    ['virt_caps', [physical.hvm && 'hvm', physical.hvmDirectIo && 'hvm_directio'].filter(Boolean).join(' ')],
    ['total_memory', String(totalMiB)],
    ['free_memory', String(freeMiB)],
    ['node_to_cpu', `node0:${lastCpu > 0 ? `0-${lastCpu}` : '0'}`],
    ['node_to_memory', `node0:${freeMiB}`],
    ['xen_major', String(version.major)],
    ['xen_minor', String(version.minor)],
    ['xen_extra', version.extra],
    ['xen_caps', xc.capabilities()],
    ['xen_scheduler', schedulerName(xc)],
    ['xen_pagesize', String(xc.pageSize())],
    ['platform_params', `virt_start=0x${xc.virtStart().toString(16)}`],
    ['xen_changeset', xc.changeset()],
    ['cc_compiler', compile.compiler],
    ['cc_compile_by', compile.by],
    ['cc_compile_domain', compile.domain],
    ['cc_compile_date', compile.date],
    ['xend_config_format', '4'],
  ];
}

/** `credit` or `sedf`. */
export function schedulerName(xc: Xc): string {
  const names: Readonly<Record<number, string>> = { 4: 'sedf', 5: 'credit' };
  return names[xc.schedulerId()] ?? 'unknown';
}
