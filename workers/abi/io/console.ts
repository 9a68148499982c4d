/** The console page of a domain, `xencons_interface` (public/io/console.h): input 1024 bytes, output 2048 bytes. */
import type { ByteRingLayout } from './byteRing';

/** Daemon → guest. */
export const CONSOLE_IN: ByteRingLayout = { data: 0, size: 1024, cons: 3072, prod: 3076 };
/** Guest → daemon. */
export const CONSOLE_OUT: ByteRingLayout = { data: 1024, size: 2048, cons: 3080, prod: 3084 };
