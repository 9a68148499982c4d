/** Bits of PolicyReading.cells (workers/contract/policy.ts). */
export const SHARE = 1;
export const TOGETHER = 2;
export const AUTHORISES = 4;
