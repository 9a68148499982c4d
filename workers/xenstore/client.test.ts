import { beforeEach, describe, expect, it } from 'vitest';
import { connectClient, type XenstoreClient, XenstoreError } from './client';
import { FakeHost } from './testing/fakeHost';

let host: FakeHost;
let deferred: (() => void)[];
let client: XenstoreClient;
const connect = (readonly = false) =>
  connectClient(host.daemon, { readonly, defer: (action) => deferred.push(action) });
function runDeferred(): void {
  for (let action = deferred.shift(); action; action = deferred.shift()) action();
}
beforeEach(() => {
  host = new FakeHost();
  deferred = [];
  client = connect();
});

describe('a synchronous client', () => {
  it('reads what it writes, as text', () => {
    client.write('/a/name', 'grün');
    expect(client.read('/a/name')).toBe('grün');
    expect(client.read('/a/b')).toBeUndefined();
    expect(client.list('/a')).toEqual(['name']);
    expect(client.list('/b')).toBeUndefined();
    client.mkdir('/a/dir');
    client.setPermissions('/a/dir', ['n0', 'r3']);
    expect(client.getPermissions('/a/dir')).toEqual(['n0', 'r3']);
    client.remove('/a');
    client.remove('/nothing/at/all');
    expect(client.list('/')).toEqual(['tool']);
  });
  it('throws refusals with the name that came over the wire', () => {
    expect(() => connect(true).write('/a', 'x')).toThrow(new XenstoreError('EACCES', '/a'));
    expect(() => client.read('a b')).toThrow(new XenstoreError('EINVAL', 'a b'));
    expect(() => client.read('/Łódź')).toThrow(new XenstoreError('EINVAL', '/Łódź'));
  });
  it('refuses a message that is too long and stays connected', () => {
    expect(() => client.write('/a', 'x'.repeat(5000))).toThrow(new XenstoreError('E2BIG', '/a'));
    client.write('/a', 'x');
  });
  it('introduces and releases domains', () => {
    expect(client.isIntroduced(1)).toBe(false);
    host.introduce(host.socket(), 1);
    expect(client.isIntroduced(1)).toBe(true);
    expect(client.domainPath(1)).toBe('/local/domain/1');
    client.resume(1);
    client.release(1);
    expect(client.isIntroduced(1)).toBe(false);
  });
});

describe('its transactions', () => {
  it('are tried again when somebody else was faster', () => {
    const other = connect();
    let tries = 0;
    const result = client.transaction((store) => {
      const n = Number(store.read('/n') ?? 0);
      if (tries++ === 0) other.write('/n', '10');
      store.write('/n', `${n + 1}`);
      return n;
    });
    expect([tries, result, client.read('/n')]).toEqual([2, 10, '11']);
  });
  it('leave nothing behind when the body throws', () => {
    expect(() =>
      client.transaction((store) => {
        store.write('/half', '');
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(client.read('/half')).toBeUndefined();
  });
  it('give up when their own body keeps disturbing them', () => {
    expect(() => client.transaction(() => client.write('/x', ''))).toThrow(XenstoreError);
  });
});

describe('its watches', () => {
  it('call the handler once at first and after each change, never inside a call', () => {
    const seen: string[] = [];
    client.watch('/a', (path) => seen.push(path));
    client.write('/a', '1');
    expect(seen).toEqual([]);
    runDeferred();
    expect(seen).toEqual(['/a', '/a']);
    connect().write('/a/b', '2');
    expect(seen.length).toBe(2);
    runDeferred();
    expect(seen).toEqual(['/a', '/a', '/a/b']);
  });
  it('may make requests in their handlers', () => {
    const seen: (string | undefined)[] = [];
    client.watch('/a', (path) => {
      seen.push(client.read(path));
      if (seen.length < 3) client.write('/a', `${seen.length}`);
    });
    runDeferred();
    expect(seen).toEqual([undefined, '1', '2']);
  });
  it('are silent after removal and after close', () => {
    const seen: string[] = [];
    const stop = client.watch('/a', (path) => seen.push(path));
    const other = connect();
    other.watch('/a', (path) => seen.push(path));
    stop();
    other.close();
    client.write('/a', '1');
    runDeferred();
    expect(seen).toEqual([]);
  });
});
