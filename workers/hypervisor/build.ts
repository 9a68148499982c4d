/** Which hypervisor this is: what xen_version, the boot messages and crash dumps say about its build. */
export const XEN_MAJOR = 3;
export const XEN_MINOR = 4;
export const XEN_EXTRAVERSION = '.0';
export const XEN_VERSION = `${XEN_MAJOR}.${XEN_MINOR}${XEN_EXTRAVERSION}`;
export const XEN_COMPILER = 'gcc version 4.3.2 (Debian 4.3.2-1.1) ';
export const XEN_COMPILE_BY = 'root';
export const XEN_COMPILE_DOMAIN = 'xenlab';
export const XEN_COMPILE_DATE = 'Mon May 18 17:21:38 UTC 2009';
export const XEN_CHANGESET = 'unavailable';
/** Paravirtual 32-bit guests with PAE; the machine's processors have no virtualisation extensions. */
export const XEN_CAPABILITIES = 'xen-3.0-x86_32p ';

/** The time stamp counters tick at 1 GHz. */
export const CPU_KHZ = 1_000_000;
export const CPU_MODEL = 'Intel(R) Core(TM)2 CPU';
/** cpuid 1 EDX, 80000001 EDX, –, synthetic, cpuid 1 ECX, –, 80000001 ECX, –. */
export const CPU_CAPABILITIES: readonly number[] = [0xbfebfbff, 0x20100000, 0, 0x140, 0x0000e31d, 0, 1, 0];
