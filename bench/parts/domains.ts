/** Domains on one host: how long one takes to come up, what `xm list` costs with many, and what an idle one holds. */
import { type BootedHost, bootedHost } from '../../workers/platform/node/testing';
import { median, type Part, type Row, wallMs } from '../row';

const CREATE = 'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=16';
const LIST_RUNS = 15;
const MEASURED_DOMAINS = 50;

async function run(machine: BootedHost, command: string): Promise<void> {
  const { status, output } = await machine.exec(command, 600_000);
  if (status !== 0 || machine.bugs.length > 0)
    throw new Error(`${command}: status ${status}\n${output}\n${machine.bugs.join('\n')}`);
}

/** Creates a domain and waits for `login:` on its console. */
async function untilLogin(machine: BootedHost, create: string, name: string): Promise<void> {
  await run(machine, create);
  let text = '';
  const decoder = new TextDecoder();
  const opened = await machine.host.openConsole(name, {
    data: (bytes) => {
      text += decoder.decode(bytes, { stream: true });
    },
    closed: () => {
      throw new Error(`${name} ended before its login`);
    },
  });
  const { clock } = machine.lab;
  const isUp = await machine.lab.loop.runUntil(() => text.includes('login:'), clock.nowNs + 60e9);
  opened.close();
  if (!isUp) throw new Error(`${name} does not come to its login:\n${text}`);
}

export const createToLogin: Part = async () => {
  const machine = await bootedHost();
  const plain: number[] = [];
  for (let n = 0; n < 5; n++)
    plain.push(await wallMs(() => untilLogin(machine, `${CREATE} name=plain${n}`, `plain${n}`)));
  const example = await wallMs(() => untilLogin(machine, 'xm create xmexample1', 'ExampleDomain'));
  machine.close();
  return [
    { name: 'create → login:, neither disk nor network', value: median(plain), unit: 'ms', budget: { most: 1500 } },
    { name: 'create → login:, xmexample1, first script', value: example, unit: 'ms', budget: { most: 1500 } },
  ];
};

async function listTime(machine: BootedHost): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < LIST_RUNS; n++) times.push(await wallMs(() => run(machine, 'xm list')));
  return median(times);
}

export const list: Part = async () => {
  const machine = await bootedHost({ memoryMb: 8192 });
  const rows: Row[] = [];
  let count = 0;
  for (const target of [1, 32, 200]) {
    if (target > count)
      await run(machine, `for i in $(seq ${count + 1} ${target}); do ${CREATE} name=d$i || exit; done; sleep 3`);
    count = target;
    const value = await listTime(machine);
    rows.push({
      name: `xm list, ${count} domains`,
      value,
      unit: 'ms',
      ...(count === 32 ? { budget: { most: 30 } } : {}),
    });
  }
  const { clock } = machine.lab;
  const start = clock.nowNs;
  const wall = await wallMs(() => machine.advance(10_000));
  rows.push({
    name: '200 idle domains, virtual time per wall time',
    value: (clock.nowNs - start) / 1e6 / wall,
    unit: '×',
    budget: { least: 1 },
  });
  machine.close();
  return rows;
};

/** Bytes that this process really holds, when nothing is left to be collected. */
function residentBytes(): number {
  for (let n = 0; n < 4; n++) globalThis.gc?.();
  return process.memoryUsage().rss;
}

export const memory: Part = async () => {
  const machine = await bootedHost({ memoryMb: 4096 });
  // The first ones bring the toolstack and the guest kernel's code to their full size.
  await run(machine, `for i in 1 2 3 4 5; do ${CREATE} name=w$i || exit; done; sleep 3`);
  const before = residentBytes();
  await run(machine, `for i in $(seq ${MEASURED_DOMAINS}); do ${CREATE} name=m$i || exit; done; sleep 3`);
  const value = (residentBytes() - before) / MEASURED_DOMAINS / 1048576;
  machine.close();
  return [{ name: 'memory of an idle domain', value, unit: 'MiB', budget: { most: 1.5 } }];
};
