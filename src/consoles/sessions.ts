/**
 * Terminals outlive the panels that show them: moving a pane between groups or closing the serial pane must not
 * lose what is on the screen. A session is an xterm screen plus its port; a panel attaches it to an element.
 */
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import type { LabApi, TerminalTarget } from '../../workers/contract';
import { openWhy } from '../policy/why';
import { useLab } from '../store/labStore';
import { currentTerminalTheme, monospace, onThemeChange, prefersReducedMotion } from '../ui/theme';
import { commandAtPrompt, hostAtPrompt, isEmptyPrompt } from './promptLine';
import { registerRefusalLinks } from './refusalLinks';
import { openTerminalPort, type Place, type TerminalPort } from './terminalPort';
import { text } from './text';

/** The element that holds a terminal; `readText` answers the screen with its scrollback, for scripts and tests. */
export interface TerminalElement extends HTMLElement {
  readText?: () => string;
}

export class TerminalSession {
  private readonly terminal: Terminal;
  private readonly fitAddon = new FitAddon();
  private port: TerminalPort;
  private readonly stopTheme: () => void;
  private hasClosed = false;
  /** The machine that the first prompt named: a prompt of another one is a guest's. */
  private homeHost: string | undefined;
  /** Enter was pressed and the line has not ended yet. */
  private hasEntered = false;

  constructor(
    private readonly api: LabApi,
    target: TerminalTarget,
    label: string,
    /** Called with each command line entered at a prompt. */
    onCommand?: (command: string) => void,
  ) {
    this.terminal = new Terminal({
      fontFamily: monospace,
      fontSize: 13,
      lineHeight: 1.2,
      scrollback: 5000,
      cursorBlink: !prefersReducedMotion(),
      theme: currentTerminalTheme(),
      minimumContrastRatio: 4.5,
    });
    this.terminal.loadAddon(this.fitAddon);
    this.terminal.attachCustomKeyEventHandler((event) => !isPageKey(event));
    this.port = this.connect(target);
    this.terminal.onData((data) => {
      this.hasEntered ||= data.includes('\r');
      this.port.send(data);
    });
    // The echo is on the screen by the time the line ends; when Enter is pressed, some of it may still be on its way.
    this.terminal.onLineFeed(() => {
      if (!this.hasEntered) return;
      this.hasEntered = false;
      const { active } = this.terminal.buffer;
      const line = this.lineAt(active.baseY + active.cursorY - 1);
      const command = commandAtPrompt(line);
      if (command && this.isAtHome(line)) onCommand?.(command);
    });
    const domid = target.kind === 'console' ? target.domid : undefined;
    registerRefusalLinks(this.terminal, (refusal, back) => void openWhy(this.api, refusal, back, domid));
    this.terminal.onBinary((data) => this.port.sendBytes(Uint8Array.from(data, (char) => char.charCodeAt(0) & 0xff)));
    this.terminal.onResize(({ rows, cols }) => this.port.resize(rows, cols));
    this.stopTheme = onThemeChange(() => {
      this.terminal.options.theme = currentTerminalTheme();
    });
    this.label = label;
  }

  readonly label: string;
  /** Told when the other side has ended it. */
  onClosed: (() => void) | undefined;

  /** Told when the domain whose console this is runs on another host, or on this one again. */
  onMoved: ((place: Place) => void) | undefined;
  /** The last such place. */
  place: Place | undefined;

  attach(host: TerminalElement): void {
    if (this.terminal.element) host.append(this.terminal.element);
    else this.terminal.open(host);
    this.terminal.textarea?.setAttribute('aria-label', this.label);
    host.readText = () => this.readText();
    this.fit();
  }

  /** Adapts rows and columns to the element; does nothing while it is hidden. */
  fit(): void {
    const host = this.terminal.element?.parentElement;
    if (host && host.clientWidth > 0 && host.clientHeight > 0) this.fitAddon.fit();
  }

  focus(): void {
    this.terminal.focus();
  }

  /** Sends text as if it had been typed. */
  type(data: string): void {
    this.port.send(data);
    this.terminal.scrollToBottom();
  }

  /** True when a command typed now would be run by the shell that this terminal began with. */
  isAtEmptyPrompt(): boolean {
    const line = this.cursorLine();
    return isEmptyPrompt(line) && this.isAtHome(line);
  }

  get isClosed(): boolean {
    return this.hasClosed;
  }

  /** Attaches a terminal that has ended to another target; what is on the screen stays. */
  reopen(target: TerminalTarget, message: string): void {
    if (!this.hasClosed) return;
    this.hasClosed = false;
    this.place = undefined;
    this.terminal.write(`\x1b[2m[${message}]\x1b[0m\r\n`);
    this.terminal.options.disableStdin = false;
    this.port = this.connect(target);
  }

  readText(): string {
    const { active } = this.terminal.buffer;
    const lines: string[] = [];
    for (let row = 0; row < active.length; row += 1) {
      const line = active.getLine(row);
      if (!line) continue;
      const text = line.translateToString(true);
      if (line.isWrapped && lines.length > 0) lines[lines.length - 1] += text;
      else lines.push(text);
    }
    return lines.join('\n').trimEnd();
  }

  dispose(): void {
    this.stopTheme();
    if (!this.hasClosed) this.port.close();
    this.terminal.dispose();
  }

  private connect(target: TerminalTarget): TerminalPort {
    const port = openTerminalPort(
      this.api,
      target,
      { rows: this.terminal.rows, cols: this.terminal.cols },
      {
        output: (data) => this.terminal.write(data, () => port.drawn(data.length)),
        moved: (place) => this.showMoved(place),
        closed: (reason) => this.showClosed(reason),
      },
    );
    return port;
  }

  private isAtHome(line: string): boolean {
    const host = hostAtPrompt(line);
    this.homeHost ??= host;
    return host === undefined || host === this.homeHost;
  }

  private cursorLine(): string {
    const { active } = this.terminal.buffer;
    return this.lineAt(active.baseY + active.cursorY);
  }

  /** The logical line that ends in a row of the buffer, joined over wrapped rows. */
  private lineAt(lastRow: number): string {
    const { active } = this.terminal.buffer;
    let row = lastRow;
    let line = active.getLine(row)?.translateToString(true) ?? '';
    while (row > 0 && active.getLine(row)?.isWrapped) {
      row -= 1;
      line = (active.getLine(row)?.translateToString() ?? '') + line;
    }
    return line;
  }

  private showMoved(place: Place): void {
    const message = place.host === useLab.getState().host?.name ? text.isHere(place) : text.isElsewhere(place);
    this.terminal.write(`\r\n\x1b[2m[${message}]\x1b[0m\r\n`);
    this.place = place;
    this.onMoved?.(place);
  }

  private showClosed(reason: string): void {
    if (this.hasClosed) return;
    this.hasClosed = true;
    this.terminal.write(`\r\n\x1b[2m[${reason || text.ended}]\x1b[0m\r\n`);
    this.terminal.options.disableStdin = true;
    this.onClosed?.();
  }
}

/** Keys that belong to the page even while a terminal has the focus: they are how one leaves it. */
function isPageKey(event: KeyboardEvent): boolean {
  if (event.key === 'F6' || event.key === 'F1') return true;
  return event.ctrlKey && event.shiftKey && event.code === 'KeyP';
}

export class TerminalSessions {
  private readonly sessions = new Map<string, TerminalSession>();

  constructor(private readonly api: LabApi) {}

  /** The machine's serial console: one for the life of the machine. */
  serial(): TerminalSession {
    return this.open('serial', { kind: 'serial' }, text.serialLabel, (command) =>
      useLab.getState().commandTyped(command),
    );
  }

  /** The session of a panel, made at first use. */
  open(id: string, target: TerminalTarget, label: string, onCommand?: (command: string) => void): TerminalSession {
    const known = this.sessions.get(id);
    if (known) return known;
    const session = new TerminalSession(this.api, target, label, onCommand);
    this.sessions.set(id, session);
    return session;
  }

  /** Ends the session of a closed panel; the serial console stays. */
  release(id: string): void {
    if (id === 'serial') return;
    this.sessions.get(id)?.dispose();
    this.sessions.delete(id);
  }

  dispose(): void {
    for (const session of this.sessions.values()) session.dispose();
    this.sessions.clear();
  }
}
