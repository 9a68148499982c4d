/** A conversation with the headless hosts: request lines come in, reply and event lines go out, in order. */

import type { HeadlessLab } from './headlessLab';
import { type OpenConsole, TextCollector } from './headlessHost';
import { BadRequest, parseRequest, type Request, RequestError } from './protocol';

/** In real time the clock is moved on this often, ms. */
const PACE_MS = 10;

interface OpenedConsole extends OpenConsole {
  readonly host: string;
}

export class Session {
  /** The last request's end. */
  #tail: Promise<void>;
  readonly #consoles = new Map<string, OpenedConsole>();
  #lastConsole = 0;
  /** Events wait while the reply that they follow is being made. */
  #waitingEvents: object[] | undefined;
  #pacer: ReturnType<typeof setInterval> | undefined;

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
  startPacing(nowMs: () => number): void {
    let lastMs = nowMs();
    let isBusy = false;
    this.#pacer = setInterval(() => {
      if (isBusy) return;
      isBusy = true;
      this.#tail = this.#tail.then(async () => {
        const wallMs = nowMs();
        await this.lab.advance(wallMs - lastMs);
        await this.lab.saveDisks();
        lastMs = wallMs;
        isBusy = false;
      });
    }, PACE_MS);
  }

  stop(): void {
    clearInterval(this.#pacer);
    this.lab.dispose();
  }

  async #answer(line: string): Promise<void> {
    this.#waitingEvents = [];
    const reply = await this.#reply(line);
    this.print(JSON.stringify(reply));
    const events = this.#waitingEvents;
    this.#waitingEvents = undefined;
    for (const event of events) this.print(JSON.stringify(event));
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
        return { console: await this.#openConsole(request.host, request.domain) };
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
      case 'host.create':
        await lab.create(request.host, request.options);
        return { ok: true };
      case 'snapshot': {
        const host = lab.host(request.host);
        if (!host.isOff) await host.ready();
        return { state: host.snapshot() };
      }
      case 'host.crash':
        lab.host(request.host).crash();
        return { ok: true };
      case 'host.boot':
        await lab.boot(request.host);
        return { ok: true };
    }
  }

  // ---------------------------------------------------------------------------------------------- consoles

  async #openConsole(host: string, domain: string): Promise<string> {
    const name = `c${++this.#lastConsole}`;
    const text = new TextCollector();
    const opened = await this.lab.host(host).openConsole(domain, {
      data: (bytes) => {
        const data = text.add(bytes);
        if (data !== '') this.#event({ event: 'console.data', console: name, data });
      },
      closed: () => {
        this.#consoles.delete(name);
        this.#event({ event: 'console.closed', console: name });
      },
    });
    this.#consoles.set(name, { ...opened, host });
    return name;
  }

  #console(name: string): OpenedConsole {
    const found = this.#consoles.get(name);
    if (!found) throw new RequestError(`console ${name} is not open`);
    return found;
  }

  /** Events that come before the reply of a request to open a console would name a console nobody knows yet. */
  #event(event: object): void {
    if (this.#waitingEvents) this.#waitingEvents.push(event);
    else this.print(JSON.stringify(event));
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
