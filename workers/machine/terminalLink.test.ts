import { describe, expect, it } from 'vitest';
import { FakePort } from './fakePort.testkind';
import { TerminalLink } from './terminalLink';

const KIB = 1024;

function linked() {
  const port = new FakePort();
  const link = new TerminalLink(port);
  const seen: string[] = [];
  const listener = {
    input: (bytes: Uint8Array) => seen.push(`input ${new TextDecoder().decode(bytes)}`),
    resize: (rows: number, cols: number) => seen.push(`resize ${rows}x${cols}`),
    closed: () => seen.push('closed'),
  };
  return { port, link, seen, listener };
}

describe('TerminalLink', () => {
  it('sends what is written in one go as one message', async () => {
    const { port, link } = linked();
    link.write(new TextEncoder().encode('one '));
    link.write(new TextEncoder().encode('go'));
    await Promise.resolve();
    expect(port.outputs()).toEqual(['one go']);
  });

  it('keeps at most 256 KiB in flight and goes on when the page has drawn', async () => {
    const { port, link } = linked();
    link.write(new Uint8Array(300 * KIB));
    await Promise.resolve();
    expect(port.outputBytes()).toBe(256 * KIB);
    port.receive({ type: 'drawn', bytes: 10 * KIB });
    expect(port.outputBytes()).toBe(266 * KIB);
    port.receive({ type: 'drawn', bytes: 256 * KIB });
    expect(port.outputBytes()).toBe(300 * KIB);
  });

  it('drops the oldest output, not the newest, when nobody draws', async () => {
    const { port, link } = linked();
    link.write(new Uint8Array(256 * KIB));
    await Promise.resolve();
    for (let i = 0; i < 40; i++) link.write(new Uint8Array(64 * KIB).fill(i));
    port.receive({ type: 'drawn', bytes: 256 * KIB });
    for (let drawn = 0; drawn < 8; drawn++) port.receive({ type: 'drawn', bytes: 256 * KIB });
    expect(port.lastByte()).toBe(39);
    expect(port.outputBytes()).toBeLessThanOrEqual((256 + 1024 + 64) * KIB);
  });

  it('hands over what was typed before anybody listened', () => {
    const { port, link, seen, listener } = linked();
    port.receive({ type: 'input', data: new TextEncoder().encode('ls\r') });
    port.receive({ type: 'resize', rows: 10, cols: 20 });
    link.listen(listener);
    expect(seen).toEqual(['input ls\r', 'resize 10x20']);
  });

  it('says why it ended only after everything is on its way', async () => {
    const { port, link, seen, listener } = linked();
    link.listen(listener);
    link.write(new Uint8Array(300 * KIB));
    link.close('The domain is gone.');
    await Promise.resolve();
    expect(port.closedReason()).toBeUndefined();
    port.receive({ type: 'drawn', bytes: 256 * KIB });
    expect(port.closedReason()).toBe('The domain is gone.');
    expect(seen).toEqual(['closed']);
    expect(port.isClosed).toBe(true);
  });

  it('is silent after the page has closed it', async () => {
    const { port, link, seen, listener } = linked();
    link.listen(listener);
    port.receive({ type: 'close' });
    link.write(new Uint8Array(10));
    await Promise.resolve();
    expect(port.outputBytes()).toBe(0);
    expect(seen).toEqual(['closed']);
  });
});
