/** xenstore operations per second: requests of a tool in Domain-0 against a store as 200 domains leave it. */
import { connectClient } from '../../workers/xenstore/client';
import { Xenstored } from '../../workers/xenstore/daemon';

export interface XenstoreBench {
  readonly readsPerSecond: number;
  readonly writesPerSecond: number;
  /** Transactions of one read and three writes. */
  readonly transactionsPerSecond: number;
}

const DOMAINS = 200;

export function benchXenstore(measureMs = 300): XenstoreBench {
  const unsupported = (): never => {
    throw new Error('no domains here');
  };
  const daemon = new Xenstored({
    mapRing: unsupported,
    bindInterdomain: unsupported,
    domainState: () => 'gone',
    charge: () => {},
  });
  const client = connectClient(daemon, { defer: () => {} });
  for (let domid = 1; domid <= DOMAINS; domid++) {
    const home = `/local/domain/${domid}`;
    for (const key of ['name', 'domid', 'memory/target', 'console/port', 'control', 'device/vif/0/state'])
      client.write(`${home}/${key}`, `${domid}`);
    client.watch(`${home}/device`, () => {});
  }
  const perSecond = (action: (i: number) => void): number => {
    const start = performance.now();
    let count = 0;
    while (performance.now() - start < measureMs) for (let end = count + 100; count < end; count++) action(count);
    return Math.round((count * 1000) / (performance.now() - start));
  };
  const home = (i: number) => `/local/domain/${(i % DOMAINS) + 1}`;
  return {
    readsPerSecond: perSecond((i) => client.read(`${home(i)}/memory/target`)),
    writesPerSecond: perSecond((i) => client.write(`${home(i)}/memory/target`, `${i}`)),
    transactionsPerSecond: perSecond((i) =>
      client.transaction((store) => {
        store.read(`${home(i)}/name`);
        for (const key of ['name', 'domid', 'control']) store.write(`${home(i)}/${key}`, `${i}`);
      }),
    ),
  };
}
