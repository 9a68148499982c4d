/**
 * Migration between two tabs of a real Chromium, by the hosts' own records: how long the guest stands still by the wall's
 * clock, and how fast its pages go against a stream of the same bytes between the same two tabs.
 */
import type { Browser, BrowserContext, Page } from '@playwright/test';
import type { MigrationRecord } from '../../workers/contract';
import { launch, missing, StaticHost, untilPrompt } from '../builtPage';
import { median, type Part, type Row } from '../row';

const TURNS = 6;
/** The first ones compile code. */
const COLD = 2;
const MOVE_MS = 60_000;
const BOOT_MS = 120_000;
const GUESTS = [
  {
    name: 'mini guest, 64 MiB',
    create: 'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=64 name=guest',
    bytes: 64 << 20,
    most: 60,
    login: /login: ?$/,
  },
  {
    name: 'Linux guest, 128 MiB',
    create:
      'sed "/^disk/d; s/^root.*/root = \'\\/dev\\/ram0\'/" /etc/xen/linux > /etc/xen/moving; xm create -q /etc/xen/moving name=guest memory=128',
    bytes: 128 << 20,
    most: 300,
    login: /linux:\S*# ?$/,
  },
] as const;

const BROKER = '/bench-broker.js';
const RAW = '/bench-raw.js';
/** In the batches of a migration. */
const BATCH = 1024 * 4096;

/** Scripts of the raw stream: worker to worker, over a MessagePort that a SharedWorker has handed to both tabs. */
const scripts = {
  [BROKER]: `let waiting;
onconnect = ({ ports: [page] }) => {
  if (!waiting) { waiting = page; return; }
  const { port1, port2 } = new MessageChannel();
  waiting.postMessage('sender', [port1]);
  page.postMessage('receiver', [port2]);
  waiting = undefined;
};`,
  [RAW]: `onmessage = ({ data: { role, bytes }, ports: [port] }) => {
  if (role === 'receiver') {
    let left = bytes;
    port.onmessage = ({ data }) => { left -= data.length; if (left <= 0) { port.postMessage('all'); close(); } };
    return;
  }
  const start = performance.now();
  port.onmessage = () => { postMessage(performance.now() - start); close(); };
  for (let sent = 0; sent < bytes; sent += ${BATCH}) port.postMessage(new Uint8Array(${BATCH}).fill(1));
};`,
};

declare global {
  interface Window {
    /** What this tab's worker has told of migrations, newest last. */
    benchRecords?: MigrationRecord[];
  }
}

/** The worker's events go by MessagePort: listened to beside the page. */
function keepRecords(): void {
  const records: MigrationRecord[] = [];
  window.benchRecords = records;
  const Plain = window.MessageChannel;
  window.MessageChannel = class extends Plain {
    constructor() {
      super();
      this.port1.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
        if (!Array.isArray(data)) return;
        for (const event of data as { type: string; migration: MigrationRecord }[])
          if (event.type === 'migration') records.push(event.migration);
      });
    }
  };
}

async function openTab(context: BrowserContext, url: string): Promise<Page> {
  const tab = await context.newPage();
  await tab.addInitScript(keepRecords);
  await untilPrompt(tab, () => tab.goto(url));
  await tab.getByRole('navigation', { name: 'Panes' }).getByRole('button', { name: 'Migration' }).click();
  await tab.getByRole('combobox', { name: 'Speed' }).selectOption('no limit');
  await tab.getByRole('combobox', { name: 'Latency' }).selectOption('0 ms');
  await tab.getByRole('button', { name: 'Close Migration' }).click();
  return tab;
}

/** A command line at the serial console. */
async function type(tab: Page, line: string): Promise<void> {
  await tab.getByRole('navigation', { name: 'Panes' }).getByRole('button', { name: 'Terminal' }).click();
  await tab.keyboard.type(line);
  await tab.keyboard.press('Enter');
}

interface Moved {
  readonly heartbeatMs: number;
  readonly sourceMs: number;
  /** From the beginning of the stream to the last page in the destination's memory, less the time that the guest took to suspend. */
  readonly pagesMs: number;
  readonly totalMs: number;
}

async function move(from: Page, to: Page, destination: string): Promise<Moved> {
  const earlier = await from.evaluate(() => window.benchRecords!.map(({ id }) => id));
  await type(from, `xm migrate --live guest ${destination}`);
  const ended = (tab: Page, role: string) =>
    tab.waitForFunction(
      ([ids, wanted]) =>
        window.benchRecords!.findLast(
          ({ id, role: each, span, heartbeat }) =>
            !ids.includes(id) && each === wanted && span !== null && (wanted === 'source' || heartbeat !== null),
        ),
      [earlier, role] as const,
      { timeout: MOVE_MS, polling: 20 },
    );
  const source = (await (await ended(from, 'source')).jsonValue())!;
  const arrived = (await (await ended(to, 'destination')).jsonValue())!;
  if (source.phase !== 'done') throw new Error(`the migration ${source.phase}: ${source.reason}`);
  return {
    heartbeatMs: arrived.heartbeat!.wallMs!,
    sourceMs: source.downtime!.wallMs!,
    pagesMs: arrived.rounds.reduce((sum, { span }) => sum + span.wallMs!, 0) - source.suspend!.wallMs!,
    totalMs: source.span!.wallMs!,
  };
}

/** Time for so many bytes from tab to tab and nothing else, ms. */
async function raw(from: Page, to: Page, bytes: number): Promise<number> {
  const take = ([broker, script, length]: readonly [string, string, number]) =>
    new Promise<number>((resolve) => {
      const shared = new SharedWorker(broker);
      shared.port.onmessage = ({ data: role, ports }: MessageEvent<string>) => {
        const worker = new Worker(script);
        worker.onmessage = ({ data }: MessageEvent<number>) => resolve(data);
        worker.postMessage({ role, bytes: length }, [...ports]);
        if (role === 'receiver') resolve(0);
      };
    });
  const facts = [BROKER, RAW, bytes] as const;
  return Math.max(...(await Promise.all([from.evaluate(take, facts), to.evaluate(take, facts)])));
}

async function measure(browser: Browser, url: string, guest: (typeof GUESTS)[number]): Promise<readonly Row[]> {
  const context = await browser.newContext({ viewport: { width: 1366, height: 768 } });
  const one = await openTab(context, url);
  const two = await openTab(context, url);
  await type(one, guest.create);
  await one.getByRole('button', { name: 'Console guest' }).click({ timeout: BOOT_MS });
  await one.waitForFunction(
    (pattern) =>
      [...document.querySelectorAll<HTMLElement & { readText?: () => string }>('[data-testid=terminal]')].some(
        (terminal) => new RegExp(pattern).test(terminal.readText?.() ?? ''),
      ),
    guest.login.source,
    { timeout: BOOT_MS },
  );
  const moves: Moved[] = [];
  const raws: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    moves.push(await move(one, two, 'host2'), await move(two, one, 'host1'));
    raws.push(await raw(one, two, guest.bytes), await raw(two, one, guest.bytes));
  }
  await context.close();
  const of = (value: (moved: Moved) => number) => median(moves.slice(COLD).map(value));
  const name = `two tabs, live migration, idle ${guest.name}`;
  const pagesMs = of((moved) => moved.pagesMs);
  const rawMs = median(raws.slice(COLD));
  return [
    {
      name: `${name}: the guest stands still, its heartbeat`,
      value: of((moved) => moved.heartbeatMs),
      unit: 'ms',
      budget: { most: guest.most },
    },
    { name: `${name}: the guest stands still, by the source`, value: of((moved) => moved.sourceMs), unit: 'ms' },
    { name: `${name}: in all`, value: of((moved) => moved.totalMs), unit: 'ms' },
    { name: `${name}: its pages, until all have arrived`, value: pagesMs, unit: 'ms' },
    { name: `${name}: the same bytes over a MessagePort from tab to tab`, value: rawMs, unit: 'ms' },
    { name: `${name}: speed of its pages against that`, value: rawMs / pagesMs, unit: '×', budget: { least: 0.5 } },
  ];
}

export const pageMigration: Part = async () => {
  const reason = missing();
  if (reason !== undefined) return [{ name: 'migration between two tabs', reason }];
  const host = new StaticHost(scripts);
  let browser: Browser | undefined;
  try {
    const url = await host.start();
    browser = await launch();
    const rows: Row[] = [];
    for (const guest of GUESTS) rows.push(...(await measure(browser, url, guest)));
    return rows;
  } finally {
    await browser?.close();
    host.stop();
  }
};
