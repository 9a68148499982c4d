/** The built page as a static host serves it, and the Chromium that opens it, for the parts that measure it. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type Browser, chromium, type Page } from '@playwright/test';
import { wallMs } from './row';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const TERMINAL_TIMEOUT_MS = 60_000;
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
};

/** Serves the build as a static host does: compressed, to be cached for an hour. `sent` counts body bytes. */
export class StaticHost {
  sent = 0;
  readonly #server: Server;
  readonly #compressed = new Map<string, Buffer>();

  /** `scripts` are served beside the build, by their paths. */
  constructor(scripts: Readonly<Record<string, string>> = {}) {
    for (const [path, text] of Object.entries(scripts)) this.#compressed.set(join(dist, path), gzipSync(text));
    this.#server = createServer((request, response) => {
      const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://host').pathname));
      const file = join(dist, path.endsWith('/') ? `${path}index.html` : path);
      if (!file.startsWith(dist) || !(this.#compressed.has(file) || existsSync(file))) {
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

/** Waits until what stands in the open terminal ends like this. */
export async function untilShown(page: Page, end: RegExp, polling = 50): Promise<void> {
  await page.waitForFunction(
    (source) => {
      const terminal = document.querySelector<HTMLElement & { readText?: () => string }>('[data-testid=terminal]');
      return new RegExp(source).test(terminal?.readText?.().trimEnd() ?? '');
    },
    end.source,
    { timeout: TERMINAL_TIMEOUT_MS, polling },
  );
}

export async function untilPrompt(page: Page, load: () => Promise<unknown>): Promise<number> {
  return wallMs(async () => {
    await load();
    await untilShown(page, /# ?$/, 20);
  });
}

/** Why the page cannot be measured here. */
export function missing(): string | undefined {
  if (!existsSync(join(dist, 'index.html'))) return 'there is no build: npm run build';
  return executable() === undefined ? 'no Chromium: set CHROMIUM to one' : undefined;
}

function executable(): string | undefined {
  return [process.env['CHROMIUM'], '/usr/bin/chromium', chromium.executablePath()].find(
    (path) => path !== undefined && path !== '' && existsSync(path),
  );
}

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: executable()!, args: ['--no-sandbox', '--disable-gpu'] });
}
