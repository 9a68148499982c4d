/** Chapter 10 of the Users' Manual, typed command by command: the golden transcript of the headless host holds in the browser. */
import { readFileSync } from 'node:fs';
import { matches, parseTranscript } from '../workers/machine/transcript.testkind';
import { expect, test } from './lab';

test.setTimeout(300_000);

const transcript = new URL('../workers/xm/transcripts/acm-chapter10.txt', import.meta.url);

/** As a screen shows it: blanks for a tab, none at the end of a line, no exit status. */
function onScreen(text: string): string {
  return text
    .replace(/^status \d+\n/gm, '')
    .replace(/^\\/gm, '')
    .replace(/^\t/gm, ' '.repeat(8))
    .replace(/ +$/gm, '');
}

test('a student types chapter 10 and reads what the manual shows', async ({ lab, page }) => {
  const dom0 = lab.console('Domain-0');
  await dom0.waitForPrompt();
  await page.getByRole('button', { name: 'Boot with ACM …' }).click();
  await page.getByRole('button', { name: 'Build and reboot' }).click();
  await dom0.waitFor(/Restarting system[\s\S]*ACM-XSM: {2}Initializing\.[\s\S]*INIT/, 60_000);
  await dom0.waitForPrompt();
  await lab.setSpeed('Max');
  // Not on the serial console, where Xen's own messages stand between the answers.
  const shell = await lab.openShell();

  for (const { command, expected } of parseTranscript(readFileSync(transcript, 'utf8'))) {
    if (command === undefined) continue;
    await test.step(command, async () => {
      const lines = onScreen(await shell.run(command));
      const answer = lines && `${lines}\n`;
      if (!matches(onScreen(expected), answer)) expect(answer).toBe(onScreen(expected));
    });
  }
});
