/**
 * `start_info`: the page in which a paravirtual kernel finds what it must know at its first instruction
 * (xen/include/public/xen.h; 1112 bytes for 32-bit guests). Only the first 60 bytes are valid again after a resume.
 */
export const START_INFO_SIZE = 1112;
export const START_INFO_MAGIC = 'xen-3.0-x86_32p';

/** Byte offsets; all fields u32 but `magic` and `cmd_line` (NUL-terminated text). */
export const startInfo = {
  magic: 0,
  nr_pages: 32,
  /** Machine address. */
  shared_info: 36,
  flags: 40,
  store_mfn: 44,
  store_evtchn: 48,
  console_mfn: 52,
  console_evtchn: 56,
  pt_base: 60,
  nr_pt_frames: 64,
  /** Virtual address of the P2M array. */
  mfn_list: 68,
  /** Virtual address. */
  mod_start: 72,
  mod_len: 76,
  cmd_line: 80,
  first_p2m_pfn: 1104,
  nr_p2m_frames: 1108,
} as const;

export const MAX_GUEST_CMDLINE = 1024;
export const SIF_PRIVILEGED = 1;
export const SIF_INITDOMAIN = 2;
