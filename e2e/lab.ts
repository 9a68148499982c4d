/** The `lab` fixture: the page in the operator's words. Everything is found by role and name. */
import { AxeBuilder } from '@axe-core/playwright';
import {
  type BrowserContext,
  test as base,
  expect,
  type FrameLocator,
  type Locator,
  type Page,
} from '@playwright/test';

/** A prompt of a root or user shell at the end of the screen. */
const prompt = /[#$] ?$/;

/** One terminal pane, read through its whole scrollback. */
export class TerminalPane {
  constructor(
    private readonly page: Page,
    /** The pane's region. */
    readonly pane: Locator,
  ) {}

  /** The screen with its scrollback; wrapped rows are joined. */
  async text(): Promise<string> {
    return this.pane.getByTestId('terminal').evaluate((element) => {
      const { readText } = element as HTMLElement & { readText?: () => string };
      return readText?.() ?? '';
    });
  }

  /** Waits until the text contains or matches what is expected. */
  async waitFor(expected: string | RegExp, timeout = 30_000): Promise<void> {
    const poll = expect.poll(() => this.text(), { timeout });
    if (typeof expected === 'string') await poll.toContain(expected);
    else await poll.toMatch(expected);
  }

  /** Waits for a shell prompt as the last thing on the screen. */
  async waitForPrompt(timeout = 30_000): Promise<void> {
    await expect.poll(async () => lastLine(await this.text()), { timeout }).toMatch(prompt);
  }

  async focus(): Promise<void> {
    await this.pane.getByTestId('terminal').click();
  }

  /** Types a line and Enter, without waiting for anything. */
  async type(line: string): Promise<void> {
    await this.focus();
    await this.page.keyboard.type(line);
    await this.page.keyboard.press('Enter');
  }

  async press(key: string): Promise<void> {
    await this.focus();
    await this.page.keyboard.press(key);
  }

  /** Clicks what stands on the screen: the last row that holds the words. */
  async clickText(words: string): Promise<void> {
    const row = this.pane.locator('.xterm-rows > div').filter({ hasText: words }).last();
    const box = await row.boundingBox();
    if (!box) throw new Error(`"${words}" is not on the screen`);
    const text = (await row.textContent()) ?? '';
    // xterm asks for links when the pointer moves over them.
    const x = box.x + 8 * (text.indexOf(words) + 3);
    await this.page.mouse.move(x, box.y + box.height / 2);
    await this.page.mouse.move(x + 4, box.y + box.height / 2);
    await expect(this.pane.locator('.xterm-cursor-pointer')).toHaveCount(1);
    await this.page.mouse.click(x + 4, box.y + box.height / 2);
  }

  /** Logs in as root at a guest's console, from its `login:` or a prompt that is there already. */
  async login(): Promise<void> {
    await this.press('Enter');
    await this.waitFor(/(login: ?|[#$] ?)$/, 60_000);
    if (/login: ?$/.test(await this.text())) {
      await this.type('root');
      await this.waitFor(/(Password: ?|[#$] ?)$/);
    }
    if (/Password: ?$/.test(await this.text())) await this.type('root');
    await this.waitForPrompt();
  }

  /** Types a command at a prompt and answers what it printed, once the next prompt is there. */
  async run(command: string, timeout = 30_000): Promise<string> {
    await this.waitForPrompt(timeout);
    const before = await this.text();
    await this.type(command);
    const start = before.length;
    let output = '';
    await expect
      .poll(
        async () => {
          const added = (await this.text()).slice(start);
          // The echo of the command ends with the first line; the next prompt is the last.
          const lines = added.split('\n');
          output = lines.slice(1, -1).join('\n');
          return lines.length > 1 && prompt.test(lines.at(-1)!);
        },
        { timeout, message: `a prompt after: ${command}` },
      )
      .toBe(true);
    return output;
  }
}

export class Lab {
  constructor(
    readonly page: Page,
    /** Where its machine is: the page, or a frame in it. */
    private readonly root: Page | FrameLocator = page,
  ) {}

  /** The second host in this page, once it is there. */
  secondHost(): Lab {
    return new Lab(this.page, this.page.frameLocator('iframe[title^="Second host"]'));
  }

  /** Opens the page; the machine boots by itself. */
  async open(): Promise<void> {
    await this.page.goto('/');
    await expect(this.root.getByRole('main', { name: 'Workbench' })).toBeVisible();
  }

  /** `Domain-0`: the serial console. Another name: the newest console pane of that domain. */
  console(domain: string): TerminalPane {
    const name = domain === 'Domain-0' ? 'Serial console of the machine' : `Console of ${domain}`;
    return new TerminalPane(this.page, this.root.getByRole('region', { name, exact: true }).last());
  }

  shell(): TerminalPane {
    return new TerminalPane(this.page, this.root.getByRole('region', { name: 'Shell in Domain-0' }).last());
  }

  /** Brings a pane to the front, opening it when it is closed. */
  async show(pane: 'Home' | 'Terminal' | 'Editor' | 'Domains' | 'Migration' | 'Policy'): Promise<void> {
    await this.root.getByRole('navigation', { name: 'Panes' }).getByRole('button', { name: pane, exact: true }).click();
  }

  async openShell(): Promise<TerminalPane> {
    await this.root.getByRole('navigation', { name: 'Panes' }).getByRole('button', { name: 'Shell' }).click();
    return this.shell();
  }

  /** Opens a further console pane from the domain table. */
  async openConsole(domain: string): Promise<TerminalPane> {
    await this.domainButton(domain, 'Console').click();
    return this.console(domain);
  }

  domainRow(name: string): Locator {
    return this.root
      .getByRole('table', { name: 'Domains' })
      .getByRole('row')
      .filter({ has: this.page.getByRole('rowheader', { name, exact: true }) });
  }

  domainButton(name: string, action: 'Console' | 'Pause' | 'Unpause' | 'Shut down' | 'Destroy'): Locator {
    return this.domainRow(name).getByRole('button', { name: `${action} ${name}`, exact: true });
  }

  /** Opens a file below one of the tree's directories, expanding what is closed. */
  async openFile(path: string): Promise<Locator> {
    await this.show('Editor');
    const tree = this.root.getByRole('navigation', { name: 'Files of Domain-0' });
    const root = ['/etc/xen', '/var/log/xen', '/etc/sysconfig', '/etc/init.d', '/root'].find((candidate) =>
      path.startsWith(`${candidate}/`),
    );
    if (!root) throw new Error(`${path} is below none of the editor's directories`);
    const names = path.slice(root.length + 1).split('/');
    for (const directory of [root, ...names.slice(0, -1)]) {
      const item = tree.getByRole('button', { name: directory, exact: true });
      if ((await item.getAttribute('aria-expanded')) !== 'true') await item.click();
    }
    await tree.getByRole('button', { name: names.at(-1)!, exact: true }).click();
    await expect(this.editor()).toBeVisible();
    return this.editor();
  }

  /** The text area that Monaco draws; `toContainText` sees the visible lines. */
  editor(): Locator {
    return this.root.getByTestId('code-editor').locator('.view-lines');
  }

  /** Replaces the whole text of the open file. */
  async replaceText(text: string): Promise<void> {
    await this.editor().click();
    await this.page.keyboard.press('ControlOrMeta+A');
    await this.page.keyboard.press('Delete');
    await this.page.keyboard.insertText(text);
  }

  async save(): Promise<void> {
    await this.page.keyboard.press('ControlOrMeta+S');
    await expect(this.root.getByRole('button', { name: 'Save', exact: true })).toBeDisabled();
  }

  /** `no problems`, `2 problems`: what stands above a domain configuration. */
  problems(): Locator {
    return this.root.getByText(/^(no problems|\d+ problems?)$/);
  }

  /** In how many colours the visible text is written. */
  async tokenColours(): Promise<number> {
    const colours = () =>
      this.editor().evaluate((lines) => {
        const spans = [...lines.querySelectorAll('.view-line span span')];
        return new Set(spans.map((span) => getComputedStyle(span).color)).size;
      });
    await expect.poll(colours).toBeGreaterThan(1);
    return colours();
  }

  /** The text of what is marked as an error, and the message that explains it. */
  async hoverError(): Promise<void> {
    await this.root.getByTestId('code-editor').locator('.squiggly-error').first().hover({ force: true });
  }

  async hoverWord(word: string): Promise<void> {
    await this.editor().locator('span span').filter({ hasText: word }).first().hover();
  }

  /** The editor's explanation beside the pointer. */
  hover(): Locator {
    return this.root.locator('.monaco-hover:visible');
  }

  suggestion(word: string): Locator {
    return this.root.getByRole('option', { name: new RegExp(`^${word}\\b`) });
  }

  /** Closes the pane in front whose title starts like this. */
  async closePane(title: string): Promise<void> {
    await this.root.getByRole('button', { name: new RegExp(`^Close ${title}`) }).click();
  }

  /** The id in the domain table; -1 while there is no such row. */
  async domidOf(name: string): Promise<number> {
    const cell = this.domainRow(name).getByRole('cell').first();
    return (await cell.count()) === 0 ? -1 : Number(await cell.textContent());
  }

  /** Title of the tab in front in the group that has the focus. */
  async focusedPane(): Promise<string> {
    return this.page.evaluate(() => {
      const group = document.activeElement?.closest('.dv-groupview');
      return group?.querySelector('.dv-active-tab')?.textContent ?? 'toolbar';
    });
  }

  async setSpeed(speed: 'Pause' | '×1' | '×10' | 'Max'): Promise<void> {
    await this.root
      .getByRole('group', { name: 'Speed of time' })
      .getByRole('button', { name: speed, exact: true })
      .click();
  }

  async showTab(title: string): Promise<void> {
    await this.root.getByRole('tab', { name: title, exact: true }).click();
  }

  /** Titles of all tabs, in the order of the page. */
  async tabs(): Promise<string[]> {
    return this.root.locator('.tab-title').allTextContents();
  }

  async disksAreSaved(): Promise<void> {
    await expect(this.root.getByRole('contentinfo')).toContainText(/Disks\s*saved/);
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await expect(this.root.getByRole('main', { name: 'Workbench' })).toBeVisible();
  }

  /** Violations of level serious or critical. */
  async accessibilityViolations(): Promise<string[]> {
    const { violations } = await new AxeBuilder({ page: this.page }).analyze();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`);
  }
}

/** A further tab of the same browser, which is a further machine, at its prompt. */
export async function anotherTab(context: BrowserContext): Promise<Lab> {
  const other = new Lab(await context.newPage());
  await other.open();
  await other.console('Domain-0').waitForPrompt();
  return other;
}

export const test = base.extend<{ lab: Lab }>({
  lab: async ({ page }, use) => {
    const lab = new Lab(page);
    await lab.open();
    await use(lab);
  },
});

export { expect };

function lastLine(text: string): string {
  return text.slice(text.lastIndexOf('\n') + 1);
}
