/** Real Linux in the built page in a real Chromium: from the command line to the guest's shell, images fetched on the way. */
import type { Browser, Page } from '@playwright/test';
import { launch, missing, StaticHost, untilPrompt, untilShown } from '../builtPage';
import { median, type Part, type Row, wallMs } from '../row';

/** Each in a browser that has seen nothing of the page. */
const RUNS = 3;
const GUESTS = [
  { name: 'small kernel', config: 'linux', most: 4_000 },
  { name: 'Debian 686-pae', config: 'debian', most: 10_000 },
];

export const pageLinux: Part = async () => {
  const reason = missing();
  if (reason !== undefined) return [{ name: 'Linux in the page', reason }];
  const host = new StaticHost();
  let browser: Browser | undefined;
  try {
    const url = await host.start();
    browser = await launch();
    const rows: Row[] = [];
    for (const { name, config, most } of GUESTS) {
      const [first, again]: [number[], number[]] = [[], []];
      for (let run = 0; run < RUNS; run++) {
        const context = await browser.newContext({ viewport: { width: 1366, height: 768 } });
        const tab = await context.newPage();
        await untilPrompt(tab, () => tab.goto(url));
        first.push(await bootTime(tab, config));
        await leave(tab, config);
        again.push(await bootTime(tab, config));
        await context.close();
      }
      const what = `Linux in the page, xm create -c → shell, ${name}`;
      rows.push({ name: `${what}, first guest`, value: median(first), unit: 'ms', budget: { most } });
      rows.push({ name: `${what}, again`, value: median(again), unit: 'ms', budget: { most } });
    }
    return rows;
  } finally {
    await browser?.close();
    host.stop();
  }
};

function bootTime(tab: Page, config: string): Promise<number> {
  return wallMs(() => type(tab, `clear; xm create -c /etc/xen/${config}`, /linux:\S*# ?$/));
}

async function leave(tab: Page, config: string): Promise<void> {
  await tab.keyboard.press('Control+]');
  await type(tab, `xm destroy ${config}; clear; echo gone`, /gone\n.*# ?$/);
}

/** Types a line at the open terminal and waits until what stands there ends as expected. */
async function type(tab: Page, line: string, end: RegExp): Promise<void> {
  await tab.getByTestId('terminal').first().click();
  await tab.keyboard.type(`${line}\n`);
  await untilShown(tab, end);
}
