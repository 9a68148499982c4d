import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BackendBus } from '../guest/backendBus';
import { backendClasses } from './registry';
import { memoryDevice, TestHost, writeDevice } from './testHosts.testkind';

/** A guest without drivers: it writes whatever it likes into its pages, its entries and its store directory. */
const poke = fc.record({ page: fc.nat(3), at: fc.nat(1023), value: fc.oneof(fc.nat(0xffff_ffff), fc.nat(40)) });
const action = fc.oneof(
  { weight: 5, arbitrary: poke },
  { weight: 3, arbitrary: fc.constant('kick' as const) },
  {
    weight: 1,
    arbitrary: fc.record({
      key: fc.constantFrom('state', 'ring-ref', 'tx-ring-ref', 'event-channel'),
      text: fc.constantFrom('1', '3', '4', '5', '6', '9', '8', '', 'x', '4294967295'),
    }),
  },
);

it('a frontend that writes garbage harms only itself', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('vbd' as const, 'vif' as const),
      fc.array(action, { maxLength: 60 }),
      (kind, actions) => {
        const host = new TestHost();
        const dom0 = host.addDomain();
        const guest = host.addDomain();
        const disk = memoryDevice('loop0', 7, 0, 64);
        dom0.services.block.add(disk);
        const secret = dom0.services.pages.alloc();
        secret.bytes.fill(0x5a);
        new BackendBus(dom0.services, backendClasses).start();
        const pages = [0, 1, 2, 3].map(() => guest.services.pages.alloc());
        const grefs = pages.map((page) => guest.services.grants.grantAccess(dom0.domid, page.mfn, false));
        const port = guest.services.events.allocUnbound(dom0.domid);
        guest.services.events.handle(port, () => {});
        const frontend = {
          'virtual-device': '2049',
          handle: '0',
          'ring-ref': String(grefs[0]),
          'tx-ring-ref': String(grefs[0]),
          'rx-ring-ref': String(grefs[1]),
          'event-channel': String(port),
          'request-rx-copy': '1',
        };
        const paths = writeDevice(host, kind, kind, 1, 0, {
          frontend,
          backend: { mode: 'w', handle: '0', 'physical-device': '7:0' },
        });
        host.settle();
        host.store.write(`${paths.front}/state`, kind === 'vbd' ? '3' : '4');
        host.settle();
        expect(host.store.nodes.get(`${paths.back}/state`)).toBe('4');
        for (const what of actions) {
          if (what === 'kick') {
            if (guest.channels.has(port)) guest.services.events.notify(port);
            dom0.netDevices[0]?.transmit(new Uint8Array(200));
          } else if ('key' in what) host.store.write(`${paths.front}/${what.key}`, what.text);
          else new DataView(pages[what.page]!.bytes.buffer).setUint32(what.at * 4, what.value, true);
          host.settle(1_000_000);
        }
        expect(secret.bytes.every((byte) => byte === 0x5a)).toBe(true);
        // Whatever it did, its end frees everything of the backend's.
        host.store.remove('/local/domain/1');
        host.settle();
        expect([dom0.mapped, dom0.channels.size, dom0.netDevices.length]).toEqual([0, 0, 0]);
      },
    ),
    { numRuns: 150 },
  );
});
