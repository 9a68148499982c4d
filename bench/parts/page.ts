/** The built page in a real Chromium: how long until Domain-0's prompt, and how much is loaded before it. */
import type { Browser } from '@playwright/test';
import { launch, missing, StaticHost, untilPrompt } from '../builtPage';
import { median, type Part } from '../row';

const WARM_LOADS = 5;

export const page: Part = async () => {
  const name = 'time to prompt, page';
  const reason = missing();
  if (reason !== undefined) return [{ name, reason }];
  const host = new StaticHost();
  let browser: Browser | undefined;
  try {
    const url = await host.start();
    browser = await launch();
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
