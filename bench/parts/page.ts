/** The built page in a real Chromium: how long until Domain-0's prompt, and how much is loaded before it. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type Browser, chromium, type Page } from '@playwright/test';
import { median, type Part, wallMs } from '../row';

const dist = fileURLToPath(new URL('../../dist', import.meta.url));
const PROMPT_TIMEOUT_MS = 60_000;
const WARM_LOADS = 5;
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
};

/** Serves the build as a static host does: compressed, to be cached for an hour. `sent` counts body bytes. */
class StaticHost {
  sent = 0;
  readonly #server: Server;
  readonly #compressed = new Map<string, Buffer>();

  constructor() {
    this.#server = createServer((request, response) => {
      const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://host').pathname));
      const file = join(dist, path.endsWith('/') ? `${path}index.html` : path);
      if (!file.startsWith(dist) || !existsSync(file)) {
        response.writeHead(404).end();
        return;
      }
      let body = this.#compressed.get(file);
      if (!body) {
        body = gzipSync(readFileSync(file));
        this.#compressed.set(file, body);
      }
      this.sent += body.length;
      response.writeHead(200, {
        'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
        'Content-Encoding': 'gzip',
        'Cache-Control': 'max-age=3600',
      });
      response.end(body);
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

async function untilPrompt(page: Page, load: () => Promise<unknown>): Promise<number> {
  return wallMs(async () => {
    await load();
    await page.waitForFunction(
      () => {
        const terminal = document.querySelector<HTMLElement & { readText?: () => string }>('[data-testid=terminal]');
        return /# ?$/.test(terminal?.readText?.().trimEnd() ?? '');
      },
      undefined,
      { timeout: PROMPT_TIMEOUT_MS, polling: 20 },
    );
  });
}

export const page: Part = async () => {
  const name = 'time to prompt, page';
  if (!existsSync(join(dist, 'index.html'))) return [{ name, reason: 'there is no build: npm run build' }];
  const executablePath = [process.env['CHROMIUM'], '/usr/bin/chromium', chromium.executablePath()].find(
    (path) => path !== undefined && path !== '' && existsSync(path),
  );
  if (!executablePath) return [{ name, reason: 'no Chromium: set CHROMIUM to one' }];
  const host = new StaticHost();
  let browser: Browser | undefined;
  try {
    const url = await host.start();
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    const tab = await (await browser.newContext({ viewport: { width: 1366, height: 768 } })).newPage();
    const first = await untilPrompt(tab, () => tab.goto(url));
    const loaded = host.sent;
    const warm: number[] = [];
    for (let n = 0; n < WARM_LOADS; n++) warm.push(await untilPrompt(tab, () => tab.reload()));
    return [
      { name: 'time to prompt, page, first load', value: first, unit: 'ms' },
      { name: 'time to prompt, page, reload', value: median(warm), unit: 'ms', budget: { most: 2500 } },
      { name: 'loaded before the prompt, compressed', value: loaded / 1e6, unit: 'MB', budget: { most: 1.5 } },
    ];
  } finally {
    await browser?.close();
    host.stop();
  }
};
