/** Domain-0's output to, and input from, the machine's console (hypercall console_io). */
export const CONSOLEIO_write = 0;
export const CONSOLEIO_read = 1;
