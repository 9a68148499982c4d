/** A conversation with the headless hosts: request lines come in, reply and event lines go out, in order. */

import type { OpenConsole } from './headlessHost';
import type { HeadlessLab } from './headlessLab';
import { BadRequest, parseRequest, type Request, RequestError } from './protocol';

/** In real time the clock is moved on this often, ms, and by so much at most: hosts that cannot keep up run slower. */
const PACE_MS = 10;
const MAX_PACE_MS = 100;

export class Session {
  /** The last request's end. */
  #tail: Promise<void>;
  readonly #consoles = new Map<string, OpenConsole>();
  #lastConsole = 0;
  /** While the reply that names a console is being made, its events wait. */
  #waitingEvents: object[] | undefined;
  #pacer: ReturnType<typeof setInterval> | undefined;
  #lastRequestMs = 0;

  /** `print` takes one line without its end. host1 is switched on at once. */
  constructor(
    private readonly lab: HeadlessLab,
    private readonly print: (line: string) => void,
  ) {
    this.#tail = lab.create('host1').then(() => {});
  }

  /** Takes a line; requests are answered one after the other. Resolves when this one is. */
  receive(line: string): Promise<void> {
    if (line.trim() !== '') this.#tail = this.#tail.then(() => this.#answer(line));
    return this.#tail;
  }

  /** All lines so far have been answered. */
  idle(): Promise<void> {
    return this.#tail;
  }

  /** From now on the hosts' time goes on with the wall's also while nothing is asked. */
  startPacing(): void {
    const { platform } = this.lab.loop;
    let lastMs = platform.nowMs();
    let isBusy = false;
    this.#pacer = setInterval(() => {
      if (isBusy) return;
      isBusy = true;
      this.#tail = this.#tail.then(async () => {
        const nowMs = platform.nowMs();
        const passedMs = nowMs - Math.max(lastMs, this.#lastRequestMs);
        await this.lab.advance(Math.min(Math.max(0, passedMs), MAX_PACE_MS));
        await this.lab.saveDisks();
        lastMs = nowMs;
        isBusy = false;
      });
    }, PACE_MS);
  }

  stop(): void {
    clearInterval(this.#pacer);
    this.lab.dispose();
  }

  async #answer(line: string): Promise<void> {
    const reply = await this.#reply(line);
    this.print(JSON.stringify(reply));
    const events = this.#waitingEvents ?? [];
    this.#waitingEvents = undefined;
    for (const event of events) this.print(JSON.stringify(event));
    this.#lastRequestMs = this.lab.loop.platform.nowMs();
  }

  async #reply(line: string): Promise<object> {
    let id: Request['id'] | null = null;
    try {
      const request = parseRequest(line);
      id = request.id;
      const result = await this.#perform(request);
      await this.lab.saveDisks();
      return { id, ...result };
    } catch (error) {
      if (error instanceof BadRequest) return { id: error.id, error: error.message };
      if (!(error instanceof RequestError)) this.lab.onBug(error);
      return { id, error: error instanceof Error ? error.message : String(error) };
    }
  }

  async #perform(request: Request): Promise<object> {
    const { lab } = this;
    switch (request.op) {
      case 'exec':
        return lab.host(request.host).exec(request.command, request.timeoutMs);
      case 'writeFile':
        await lab.host(request.host).writeFile(request.path, request.bytes);
        return { ok: true };
      case 'readFile': {
        const bytes = await lab.host(request.host).readFile(request.path);
        return { data: request.encoding === 'utf8' ? new TextDecoder().decode(bytes) : base64(bytes) };
      }
      case 'console.open':
        return { console: await this.#openConsole(request.host, request.domain, request.follow) };
      case 'console.write':
        await this.#console(request.console).write(new TextEncoder().encode(request.data));
        return { ok: true };
      case 'console.close':
        this.#console(request.console).close();
        this.#consoles.delete(request.console);
        return { ok: true };
      case 'advance':
        lab.host(request.host);
        return { now: await lab.advance(request.ms) };
      case 'link':
        return { link: lab.host(request.host).changeLink(request.change) };
      case 'migration.cancel':
        await lab.host(request.host).cancelMigration(request.domain);
        return { ok: true };
      case 'migration.watch':
        lab.host(request.host).onMigrationStep = request.isOn
          ? (migration) => this.#event({ event: 'migration', host: request.host, migration })
          : () => {};
        return { ok: true };
      case 'migration.map': {
        const { pages, role, codes } = lab.host(request.host).migrationMap(request.migration);
        return { role, pages, codes: base64(codes) };
      }
      case 'host.create':
        await lab.create(request.host, request.options);
        return { ok: true };
      case 'snapshot': {
        const host = lab.host(request.host);
        if (!host.isOff) await host.ready();
        return { state: host.snapshot() };
      }
      case 'host.crash': {
        const host = lab.host(request.host);
        if (host.isOff) throw new RequestError(`${request.host} is switched off`);
        host.crash();
        return { ok: true };
      }
      case 'host.boot':
        await lab.boot(request.host);
        return { ok: true };
    }
  }

  // ---------------------------------------------------------------------------------------------- consoles

  async #openConsole(host: string, domain: string, follow: boolean): Promise<string> {
    const name = `c${++this.#lastConsole}`;
    const decoder = new TextDecoder();
    this.#waitingEvents = [];
    const opened = await this.lab.host(host).openConsole(domain, {
      data: (bytes) => {
        const data = decoder.decode(bytes, { stream: true });
        if (data !== '') this.#event({ event: 'console.data', console: name, data });
      },
      ...(follow
        ? {
            moved: (to: string, domid: number) =>
              this.#event({ event: 'console.moved', console: name, host: to, domid }),
          }
        : {}),
      closed: () => {
        this.#consoles.delete(name);
        this.#event({ event: 'console.closed', console: name });
      },
    });
    this.#consoles.set(name, opened);
    return name;
  }

  #console(name: string): OpenConsole {
    const found = this.#consoles.get(name);
    if (!found) throw new RequestError(`console ${name} is not open`);
    return found;
  }

  #event(event: object): void {
    if (this.#waitingEvents) this.#waitingEvents.push(event);
    else this.print(JSON.stringify(event));
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
