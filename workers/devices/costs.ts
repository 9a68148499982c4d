/**
 * What device work costs in virtual cpu time, ns: the table of docs/costs.md in code. Backend costs fall on the domain
 * that runs the backend (Domain-0), frontend costs on the guest.
 */
/** blkfront: building and finishing one request; one page copied. */
export const BLKFRONT_REQUEST_NS = 3_000;
export const BLKFRONT_PAGE_NS = 500;
/** blkback: one request; one segment (grant copy, page-sized). */
export const BLKBACK_REQUEST_NS = 6_000;
export const BLKBACK_SEGMENT_NS = 700;
/** `file:` on top of that: the loop driver's thread and the second copy through the page cache. */
export const LOOP_REQUEST_NS = 9_000;
export const LOOP_SEGMENT_NS = 1_100;
/** `tap:aio:` on top of blkback's: the switch to the tapdisk process; its I/O is direct. */
export const TAPDISK_REQUEST_NS = 5_000;
export const TAPDISK_SEGMENT_NS = 200;
/** netfront, netback: one packet; one byte. */
export const NETFRONT_PACKET_NS = 2_500;
export const NETBACK_PACKET_NS = 3_500;
export const NETBACK_BYTE_NS = 0.6;
/** xenconsoled: one wake-up; one byte. */
export const CONSOLED_EVENT_NS = 4_000;
export const CONSOLED_BYTE_NS = 5;
