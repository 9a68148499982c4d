import { beforeEach, describe, expect, it } from 'vitest';
import { XsRing } from '../abi/io/xsRing';
import {
  encode,
  latin1,
  latin1Bytes,
  stringsPayload,
  XS_DEBUG,
  XS_DIRECTORY,
  XS_ERROR,
  XS_GET_DOMAIN_PATH,
  XS_GET_PERMS,
  XS_INTRODUCE,
  XS_IS_DOMAIN_INTRODUCED,
  XS_MKDIR,
  XS_READ,
  XS_RELEASE,
  XS_RESUME,
  XS_RM,
  XS_SET_PERMS,
  XS_SET_TARGET,
  XS_TRANSACTION_START,
  XS_UNWATCH,
  XS_WATCH,
  XS_WATCH_EVENT,
  XS_WRITE,
} from '../abi/io/xsWire';
import { type FakeDomain, FakeHost, type TestClient } from './testing/fakeHost';

let host: FakeHost;
let dom0: TestClient;
beforeEach(() => {
  host = new FakeHost();
  dom0 = host.socket();
});

/** A domain with its own directory, as xend makes it. */
function domain(domid: number): FakeDomain {
  const guest = host.introduce(dom0, domid);
  dom0.ok(XS_MKDIR, `/local/domain/${domid}`);
  dom0.ok(XS_SET_PERMS, `/local/domain/${domid}`, `n${domid}`);
  return guest;
}

describe('nodes (fact sheet §8.4)', () => {
  it('starts with /tool and /tool/xenstored, owned by Domain-0', () => {
    expect(dom0.text(XS_DIRECTORY, '/')).toBe('tool\0');
    expect(dom0.text(XS_DIRECTORY, '/tool')).toBe('xenstored\0');
    expect(dom0.text(XS_GET_PERMS, '/tool/xenstored')).toBe('n0\0');
  });
  it('makes missing parents, which are empty, and lists children in order of creation', () => {
    for (const name of ['z', 'a', 'm']) dom0.write(`/top/${name}`, name);
    dom0.write('/top/z', 'again');
    expect(dom0.text(XS_DIRECTORY, '/top')).toBe('z\0a\0m\0');
    expect(dom0.text(XS_READ, '/top')).toBe('');
    expect(dom0.text(XS_READ, '/top/z')).toBe('again');
  });
  it('keeps any bytes in a value, NULs too', () => {
    dom0.write('/bin', 'a\0b\xff\0');
    expect(dom0.text(XS_READ, '/bin')).toBe('a\0b\xff\0');
  });
  it('answers OK to MKDIR of what exists and to RM of what is missing below an existing node', () => {
    dom0.ok(XS_MKDIR, '/tool');
    dom0.ok(XS_RM, '/tool/nothing');
    expect(dom0.error(XS_RM, '/no/such')).toBe('ENOENT');
    expect(dom0.error(XS_RM, '/')).toBe('EINVAL');
  });
  it('removes a whole subtree', () => {
    dom0.write('/a/b/c', '1');
    dom0.ok(XS_RM, '/a');
    expect(dom0.error(XS_READ, '/a/b/c')).toBe('ENOENT');
  });
  it('refuses names that no node can have', () => {
    for (const path of ['relative', '', '/a/', '//', '/a//b', '/a b', '/ä', `/${'x'.repeat(3072)}`])
      expect(dom0.error(XS_READ, path), path.slice(0, 10)).toBe('EINVAL');
    expect(dom0.error(XS_READ, `/${'x'.repeat(3071)}`)).toBe('ENOENT');
  });
  it('takes exactly one string where one is due', () => {
    expect(dom0.errorRaw(XS_READ, latin1Bytes('/tool'))).toBe('EINVAL');
    expect(dom0.errorRaw(XS_READ, latin1Bytes('/tool\0x\0'))).toBe('EINVAL');
    expect(dom0.errorRaw(XS_READ, latin1Bytes(''))).toBe('EINVAL');
    expect(dom0.errorRaw(XS_WRITE, latin1Bytes('/tool'))).toBe('EINVAL');
  });
  it('does not know requests outside the table', () => {
    for (const type of [XS_WATCH_EVENT, XS_ERROR, 20, 0xffff_ffff]) expect(dom0.error(type, '/')).toBe('ENOSYS');
  });
  it('copies req_id and tx_id into replies and errors', () => {
    dom0.send({ type: XS_READ, reqId: 77, txId: 0, payload: stringsPayload(['/tool']) });
    dom0.send({ type: XS_READ, reqId: 78, txId: 99, payload: stringsPayload(['/tool']) });
    expect(dom0.messages().map((m) => [m.type, m.reqId, m.txId, latin1(m.payload)])).toEqual([
      [XS_READ, 77, 0, ''],
      [XS_ERROR, 78, 99, 'ENOENT\0'],
    ]);
  });
  it('takes DEBUG from Domain-0 only', () => {
    dom0.ok(XS_DEBUG, 'print', 'hello');
    dom0.ok(XS_DEBUG, 'check');
    expect(host.logged).toEqual(['debug: hello']);
    expect(domain(1).error(XS_DEBUG, 'check')).toBe('EACCES');
  });
});

describe('permissions (fact sheet §8.5)', () => {
  it('gives the creator what it creates, with the other rights inherited', () => {
    const one = domain(1);
    dom0.ok(XS_SET_PERMS, '/local/domain/1', 'b0', 'r7');
    one.write('/local/domain/1/data', 'x');
    expect(dom0.text(XS_GET_PERMS, '/local/domain/1/data')).toBe('b1\0r7\0');
  });
  it('lets Domain-0 create without taking ownership', () => {
    domain(1);
    dom0.write('/local/domain/1/name', 'mini');
    expect(dom0.text(XS_GET_PERMS, '/local/domain/1/name')).toBe('n1\0');
  });
  it('tells ENOENT only to those who may look at the nearest ancestor', () => {
    const one = domain(1);
    expect(one.error(XS_READ, '/local/domain/1/nothing')).toBe('ENOENT');
    expect(one.error(XS_READ, '/local/domain/2/nothing')).toBe('EACCES');
    expect(one.error(XS_WRITE, '/tool/x')).toBe('EACCES');
    expect(one.error(XS_RM, '/local/domain/0/x')).toBe('EACCES');
  });
  it('lets only owners and tools change permissions, and no domain give a node away', () => {
    const one = domain(1);
    const two = domain(2);
    one.write('data', 'x');
    expect(two.error(XS_SET_PERMS, '/local/domain/1/data', 'b2')).toBe('EACCES');
    expect(one.error(XS_SET_PERMS, 'data', 'n2')).toBe('EINVAL');
    one.ok(XS_SET_PERMS, 'data', 'n1', 'r2');
    expect(two.text(XS_READ, '/local/domain/1/data')).toBe('x');
    expect(two.error(XS_WRITE, '/local/domain/1/data')).toBe('EACCES');
    expect(one.error(XS_SET_PERMS, 'data')).toBe('EINVAL');
    expect(one.error(XS_SET_PERMS, 'data', 'q1')).toBe('EINVAL');
  });
  it('refuses writes through the read-only socket', () => {
    const reader = host.socket({ readonly: true });
    expect(reader.text(XS_DIRECTORY, '/')).toContain('tool');
    expect(reader.error(XS_WRITE, '/tool')).toBe('EACCES');
    expect(reader.error(XS_MKDIR, '/new')).toBe('EACCES');
    expect(reader.error(XS_SET_PERMS, '/tool', 'r0')).toBe('EACCES');
  });
  it('gives a device model the rights of its target', () => {
    const one = domain(1);
    const two = domain(2);
    one.write('secret', 's');
    expect(two.error(XS_READ, '/local/domain/1/secret')).toBe('EACCES');
    expect(dom0.error(XS_SET_TARGET, '2', '9')).toBe('ENOENT');
    dom0.ok(XS_SET_TARGET, '2', '1');
    expect(two.text(XS_READ, '/local/domain/1/secret')).toBe('s');
  });
});

describe('watches (fact sheet §8.6)', () => {
  it('fires once when set, after the OK, also for a node that does not exist', () => {
    dom0.sendStrings(XS_WATCH, '/no/where', 'tok');
    expect(dom0.messages().map((m) => [m.type, latin1(m.payload)])).toEqual([
      [XS_WATCH, 'OK\0'],
      [XS_WATCH_EVENT, '/no/where\0tok\0'],
    ]);
  });
  it('sends the writer its own events before the reply', () => {
    dom0.ok(XS_WATCH, '/a', 't');
    dom0.events();
    dom0.sendStrings(XS_WRITE, '/a', 'v');
    expect(dom0.messages().map((m) => m.type)).toEqual([XS_WATCH_EVENT, XS_WRITE]);
  });
  it('fires for the node and below it, not for a sibling whose name starts the same, nor above', () => {
    dom0.ok(XS_WATCH, '/a/b', 't');
    dom0.events();
    for (const path of ['/a/b', '/a/b/c/d', '/a/bc', '/a']) dom0.write(path, '');
    expect(dom0.events()).toEqual(['/a/b t', '/a/b/c/d t']);
  });
  it('fires only for the named path when a deep one is created, and also when a value stays the same', () => {
    dom0.ok(XS_WATCH, '/', 't');
    dom0.events();
    dom0.write('/x/y/z', '1');
    dom0.write('/x/y/z', '1');
    dom0.ok(XS_MKDIR, '/x/y');
    dom0.ok(XS_SET_PERMS, '/x/y', 'r0');
    expect(dom0.events()).toEqual(['/x/y/z t', '/x/y/z t', '/x/y t']);
  });
  it('names the watched path when a node above it is removed', () => {
    dom0.write('/dev/vbd/769/state', '4');
    dom0.ok(XS_WATCH, '/dev/vbd/769/state', 's');
    dom0.ok(XS_WATCH, '/dev', 'd');
    dom0.events();
    dom0.ok(XS_RM, '/dev/vbd');
    expect(dom0.events()).toEqual(['/dev/vbd/769/state s', '/dev/vbd d']);
  });
  it('reports paths the way the watch was set', () => {
    const one = domain(1);
    one.ok(XS_WATCH, 'device', 'rel');
    one.ok(XS_WATCH, '/local/domain/1/device', 'abs');
    expect(one.events()).toEqual(['device rel', '/local/domain/1/device abs']);
    one.write('device/vif/0', '');
    expect(one.events()).toEqual(['device/vif/0 rel', '/local/domain/1/device/vif/0 abs']);
  });
  it('sends events also for nodes that the watcher may not read', () => {
    const one = domain(1);
    one.ok(XS_WATCH, '/tool', 't');
    one.events();
    dom0.write('/tool/secret', 'x');
    expect(one.events()).toEqual(['/tool/secret t']);
  });
  it('knows a watch by path and token', () => {
    dom0.ok(XS_WATCH, '/a', 't');
    expect(dom0.error(XS_WATCH, '/a', 't')).toBe('EEXIST');
    dom0.ok(XS_WATCH, '/a', 'u');
    expect(dom0.error(XS_UNWATCH, '/a', 'v')).toBe('ENOENT');
    dom0.ok(XS_UNWATCH, '/a', 't');
    dom0.events();
    dom0.write('/a', '');
    expect(dom0.events()).toEqual(['/a u']);
    expect(dom0.error(XS_WATCH, '/a')).toBe('EINVAL');
    expect(dom0.error(XS_WATCH, '/a', 't', 'x')).toBe('EINVAL');
  });
  it('forgets the watches of a closed connection', () => {
    const other = host.socket();
    other.ok(XS_WATCH, '/a', 't');
    other.socket.close();
    dom0.write('/a', '');
    expect(() => other.write('/a', '')).toThrow();
  });
});

describe('transactions (fact sheet §8.7)', () => {
  it('hides changes until the commit and then fires once per path, in order', () => {
    const other = host.socket();
    other.ok(XS_WATCH, '/t', 'w');
    other.events();
    const tx = dom0.begin();
    for (const path of ['/t/b', '/t/a', '/t/b']) dom0.write(path, '1', tx);
    expect(dom0.text(XS_READ, '/t/a', tx)).toBe('1');
    expect(other.error(XS_READ, '/t/a')).toBe('ENOENT');
    expect(other.events()).toEqual([]);
    dom0.end(tx, 'T');
    expect(other.events()).toEqual(['/t/b w', '/t/a w']);
    expect(other.text(XS_DIRECTORY, '/t')).toBe('b\0a\0');
  });
  it('fails with EAGAIN after any change of the store, and is gone then', () => {
    const tx = dom0.begin();
    dom0.write('/mine', '1', tx);
    host.socket().write('/other', '1');
    expect(dom0.endError(tx, 'T')).toBe('EAGAIN');
    expect(dom0.endError(tx, 'T')).toBe('ENOENT');
    expect(dom0.error(XS_READ, '/mine')).toBe('ENOENT');
  });
  it('fails after the commit of another one that changed nothing', () => {
    const first = dom0.begin();
    const second = dom0.begin();
    dom0.end(first, 'T');
    expect(dom0.endError(second, 'T')).toBe('EAGAIN');
  });
  it('is not disturbed by one that is given up', () => {
    const first = dom0.begin();
    const second = dom0.begin();
    dom0.write('/x', '', first);
    dom0.end(first, 'F');
    dom0.end(second, 'T');
  });
  it('counts numbers up from 1 for each connection and does not nest', () => {
    expect([dom0.begin(), dom0.begin(), host.socket().begin()]).toEqual([1, 2, 1]);
    dom0.send({ type: XS_TRANSACTION_START, reqId: 0, txId: 1, payload: latin1Bytes('\0') });
    expect(dom0.reply()).toBe('EBUSY');
    expect(dom0.endError(0, 'T')).toBe('ENOENT');
    expect(dom0.endError(1, 'X')).toBe('EINVAL');
    dom0.end(1, 'T');
  });
});

describe('quotas (fact sheet §8.8)', () => {
  it('allows 1000 owned nodes; the next creation is answered with ENOENT', () => {
    const one = domain(1); // owns its directory already
    for (let i = 0; i < 9; i++) one.ok(XS_MKDIR, `d${i}`);
    for (let i = 0; i < 990; i++) one.ok(XS_MKDIR, `d${i % 9}/${i}`);
    expect(one.error(XS_MKDIR, 'more')).toBe('ENOENT');
    one.ok(XS_RM, 'd0');
    one.ok(XS_MKDIR, 'more');
    expect(one.error(XS_MKDIR, `deep${'/x'.repeat(200)}`)).toBe('ENOENT');
  });
  it('allows records below 2048 bytes: 12 + 8 per permission + value + child names', () => {
    const one = domain(1);
    one.write('v', 'x'.repeat(2047 - 12 - 8));
    expect(one.error(XS_WRITE, 'v', 'x'.repeat(2048 - 12 - 8 - 1))).toBe('ENOSPC'); // a trailing NUL counts
    one.write('dir', 'x'.repeat(2020));
    one.ok(XS_MKDIR, 'dir/123456');
    expect(one.error(XS_MKDIR, 'dir/1')).toBe('ENOSPC');
    dom0.write('/big', 'x'.repeat(4000));
  });
  it('allows 129 watches and 11 transactions', () => {
    const one = domain(1);
    for (let i = 0; i < 129; i++) one.ok(XS_WATCH, 'x', `${i}`);
    expect(one.error(XS_WATCH, 'x', '129')).toBe('EINVAL');
    for (let i = 0; i < 11; i++) one.begin();
    expect(one.error(XS_TRANSACTION_START, '')).toBe('ENOSPC');
  });
});

describe('domains (fact sheet §8.9)', () => {
  it('announces a new domain and answers whether one is known', () => {
    dom0.ok(XS_WATCH, '@introduceDomain', 'i');
    expect(dom0.events()).toEqual(['@introduceDomain i']);
    expect(dom0.text(XS_IS_DOMAIN_INTRODUCED, '5')).toBe('F\0');
    host.introduce(dom0, 5);
    expect(dom0.events()).toEqual(['@introduceDomain i']);
    expect(dom0.text(XS_IS_DOMAIN_INTRODUCED, '5')).toBe('T\0');
    expect(dom0.text(XS_GET_DOMAIN_PATH, '12')).toBe('/local/domain/12\0');
  });
  it('checks the arguments of INTRODUCE, RELEASE and RESUME', () => {
    expect(dom0.error(XS_INTRODUCE, '1', '100')).toBe('EINVAL');
    expect(dom0.error(XS_INTRODUCE, '1', '100', '0')).toBe('EINVAL');
    expect(dom0.error(XS_INTRODUCE, '1', '100', '5')).toBe('EINVAL'); // no such page
    for (const type of [XS_RELEASE, XS_RESUME]) {
      expect(dom0.error(type, '0')).toBe('EINVAL');
      expect(dom0.error(type, '9')).toBe('ENOENT');
    }
    const one = domain(1);
    expect(one.error(XS_INTRODUCE, '2', '100', '5')).toBe('EACCES');
    expect(one.error(XS_RELEASE, '1')).toBe('EACCES');
    expect(one.error(XS_SET_TARGET, '1', '1')).toBe('EACCES');
  });
  it('rebinds a known domain with the same page, forgetting watches, transactions and bytes', () => {
    const one = domain(1);
    one.ok(XS_WATCH, 'x', 't');
    one.begin();
    dom0.ok(XS_WATCH, '@introduceDomain', 'i');
    dom0.events();
    one.ring.write(latin1Bytes('half a message'));
    one.notify();
    dom0.ok(XS_INTRODUCE, '1', `${one.mfn}`, '9');
    expect(dom0.events()).toEqual([]);
    one.port = 9;
    expect(one.text(XS_READ, '/local/domain/1')).toBe('');
    expect(one.endError(1, 'T')).toBe('ENOENT');
    expect(dom0.error(XS_INTRODUCE, '1', `${one.mfn + 1}`, '9')).toBe('EINVAL');
  });
  it('fires @releaseDomain once per shutdown, again after RESUME, and at the death', () => {
    const one = domain(1);
    dom0.ok(XS_WATCH, '@releaseDomain', 'r');
    dom0.events();
    const check = () => {
      host.daemon.domainEvent();
      return dom0.events().length;
    };
    expect(check()).toBe(0);
    one.state = 'shutdown';
    expect([check(), check()]).toEqual([1, 0]);
    dom0.ok(XS_RESUME, '1');
    expect(check()).toBe(1);
    one.state = 'dying';
    expect([check(), check()]).toEqual([1, 0]);
    expect(dom0.text(XS_IS_DOMAIN_INTRODUCED, '1')).toBe('F\0');
    expect([one.isMapped, one.isBound]).toEqual([false, false]);
    expect(dom0.error(XS_RELEASE, '1')).toBe('ENOENT');
  });
  it('lets go of page and channel on RELEASE', () => {
    const one = domain(1);
    dom0.ok(XS_WATCH, '@releaseDomain', 'r');
    dom0.events();
    dom0.ok(XS_RELEASE, '1');
    expect(dom0.events()).toEqual(['@releaseDomain r']);
    expect([one.isMapped, one.isBound]).toEqual([false, false]);
  });
});

describe('a hostile ring', () => {
  it('ends its own connection when the indices are further apart than the ring is long', () => {
    const one = domain(1);
    const two = domain(2);
    new DataView(one.page.buffer).setUint32(2052, 5000, true);
    one.notify();
    expect(one.isMapped).toBe(false);
    expect(two.text(XS_DIRECTORY, '/local/domain/2')).toBe('');
  });
  it('ends the connection only: others hear of its shutdown and of its death as ever', () => {
    const one = domain(1);
    dom0.ok(XS_WATCH, '@releaseDomain', 'r');
    dom0.events();
    new DataView(one.page.buffer).setUint32(2052, 5000, true);
    one.notify();
    expect(dom0.events()).toEqual([]);
    for (const state of ['shutdown', 'dying'] as const) {
      one.state = state;
      host.daemon.domainEvent();
      expect(dom0.events()).toEqual(['@releaseDomain r']);
    }
    expect(dom0.text(XS_IS_DOMAIN_INTRODUCED, '1')).toBe('F\0');
  });
  it('ends its own connection with a payload of more than 4096 bytes', () => {
    const one = domain(1);
    const header = encode({ type: XS_READ, reqId: 0, txId: 0, payload: new Uint8Array(0) });
    new DataView(header.buffer).setUint32(12, 4097, true);
    one.ring.write(header);
    one.notify();
    expect(one.isMapped).toBe(false);
    dom0.ok(XS_MKDIR, '/still/here');
  });
  it('does not make the daemon hold ever more replies that nobody takes', () => {
    const one = domain(1);
    one.write('v', 'x'.repeat(2000));
    const request = encode({ type: XS_READ, reqId: 0, txId: 0, payload: stringsPayload(['v']) });
    let taken = 0;
    for (let i = 0; i < 2000; i++) {
      taken += one.ring.write(request);
      one.notify();
    }
    // One ring of requests, and the few that were read before the output was full.
    expect(taken).toBeLessThan(8 * 1024);
    expect(new XsRing(one.page, 'rsp').used).toBe(1024);
    const replies = one.drain();
    expect(replies.length).toBe(Math.floor(taken / request.length));
    expect(replies.every((m) => m.payload.length === 2000)).toBe(true);
  });
});
