/**
 * xend.log: one line per event, `[YYYY-MM-DD HH:MM:SS PID] LEVEL (MODULE:LINE) TEXT`; a file is rotated at 1 MiB and five
 * old ones are kept (tools/python/xen/xend/XendLogging.py in Xen 3.4).
 */
import type { XendFiles } from './environment';

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const;
export type LogLevel = (typeof LEVELS)[number];

const MAX_BYTES = 1 << 20;
const BACKUP_COUNT = 5;

export interface LogHost {
  readonly files: XendFiles;
  readonly pid: number;
  nowUnix(): number;
}

export class XendLog {
  #path: string;
  #threshold = 1;

  constructor(
    readonly host: LogHost,
    path = '/var/log/xen/xend.log',
    level: string = 'DEBUG',
  ) {
    this.#path = path;
    this.configure(path, level);
  }

  get path(): string {
    return this.#path;
  }

  /** Lines below `level` are left out; an unknown word means DEBUG. */
  configure(path: string, level: string): void {
    this.#path = path;
    const at = LEVELS.indexOf(level.toUpperCase() as LogLevel);
    this.#threshold = at < 0 ? 1 : at;
  }

  /** `where` is the module and line that says this in Xen 3.4, e.g. `SrvDaemon:331`. */
  write(level: LogLevel, where: string, text: string): void {
    if (LEVELS.indexOf(level) < this.#threshold) return;
    const line = `[${timestamp(this.host.nowUnix())} ${this.host.pid}] ${level} (${where}) ${text}\n`;
    const { files } = this.host;
    if ((files.size(this.#path) ?? 0) + line.length > MAX_BYTES) this.#rotate();
    files.append(this.#path, line);
  }

  debug(where: string, text: string): void {
    this.write('DEBUG', where, text);
  }

  info(where: string, text: string): void {
    this.write('INFO', where, text);
  }

  warning(where: string, text: string): void {
    this.write('WARNING', where, text);
  }

  error(where: string, text: string): void {
    this.write('ERROR', where, text);
  }

  #rotate(): void {
    const { files } = this.host;
    files.remove(`${this.#path}.${BACKUP_COUNT}`);
    for (let n = BACKUP_COUNT - 1; n >= 1; n--) {
      if (files.exists(`${this.#path}.${n}`)) files.rename(`${this.#path}.${n}`, `${this.#path}.${n + 1}`);
    }
    if (files.exists(this.#path)) files.rename(this.#path, `${this.#path}.1`);
  }
}

/** `2008-11-01 12:00:00`; the lab's clocks stand on UTC. */
export function timestamp(seconds: number): string {
  return new Date(Math.floor(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ');
}

/** `Sat Nov  1 12:00:00 2008`, as C's ctime. */
export function ctime(seconds: number): string {
  const date = new Date(Math.floor(seconds) * 1000);
  const day = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][date.getUTCDay()]!;
  const month = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'][
    date.getUTCMonth()
  ]!;
  const time = date.toISOString().slice(11, 19);
  return `${day} ${month} ${String(date.getUTCDate()).padStart(2)} ${time} ${date.getUTCFullYear()}`;
}
