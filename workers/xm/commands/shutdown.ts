/** xm shutdown and xm reboot: ask guests to end, and wait for it when told to. */
import { getopt } from '../../lib/getopt';
import type { DomainSummary, ShutdownWord } from '../../xend/api';
import { OptionError, pollSecond, type XmCommand, type XmContext, XmError } from '../command';

const ALL = { short: 'a', long: 'all', help: 'Every running domain but Domain-0.' };
const WAIT = { short: 'w', long: 'wait', help: 'Wait until it has happened.' };
const HALT = { short: 'H', long: 'halt', help: 'Shut the domain down without a reboot.' };
const REBOOT = { short: 'R', long: 'reboot', help: 'Shut the domain down and reboot it.' };
/** Polls, a second each, after which a missing domain counts as lost. */
const REBOOT_POLLS = 30;

export const shutdown: XmCommand = {
  name: 'shutdown',
  usage: '<Domain> [-waRH]',
  summary: 'Shutdown a domain.',
  group: 'domain',
  minArgs: 1,
  maxArgs: 4,
  run: (context, args) => shutDown(context, args, [ALL, WAIT, HALT, REBOOT]),
};

export const reboot: XmCommand = {
  name: 'reboot',
  usage: '<Domain> [-wa]',
  summary: 'Reboot a domain.',
  group: 'domain',
  minArgs: 1,
  maxArgs: 3,
  run: (context, args) => shutDown(context, args, [ALL, WAIT], 'reboot'),
};

async function shutDown(
  context: XmContext,
  args: readonly string[],
  options: Parameters<typeof getopt>[1],
  fixed?: ShutdownWord,
): Promise<number> {
  const { xend } = context;
  const parsed = getopt(args, options);
  if (parsed.has('halt') && parsed.has('reboot')) throw new OptionError("Can't specify halt and reboot");
  const reason = fixed ?? (parsed.has('halt') ? 'halt' : parsed.has('reboot') ? 'reboot' : 'poweroff');
  const restartCounts = new Map<string, number>();
  const domids = new Map<string, number | undefined>();
  const remember = (domain: DomainSummary) => {
    restartCounts.set(domain.name, domain.restartCount);
    domids.set(domain.name, domain.domid);
  };
  if (parsed.has('all')) {
    for (const domain of await xend.domains())
      if (domain.domid !== 0 && domain.powerState === 'running') remember(domain);
  } else {
    if (parsed.words.length === 0) throw new OptionError('No domain parameter given');
    if (parsed.words.length > 1) throw new XmError('No multiple domain parameters allowed', { usage: false });
    remember(await xend.domain(parsed.words[0]!));
  }
  for (const name of restartCounts.keys()) await xend.shutdown(name, reason);
  if (!parsed.has('wait')) return 0;
  if (reason === 'reboot') await waitForReboot(context, restartCounts);
  else await waitForEnd(context, domids);
  return 0;
}

/** A domain that comes back under its name (on_poweroff = 'restart') has another id: the one we meant has ended. */
async function waitForEnd({ io, xend }: XmContext, waiting: Map<string, number | undefined>): Promise<void> {
  while (waiting.size > 0) {
    await pollSecond(io);
    const alive = new Map(
      (await xend.domains()).filter((domain) => domain.powerState !== 'halted').map((d) => [d.name, d.domid]),
    );
    for (const [name, domid] of waiting) {
      if (alive.has(name) && alive.get(name) === domid) continue;
      io.print(`Domain ${name} terminated\n`);
      waiting.delete(name);
    }
  }
  io.print('All domains terminated\n');
}

async function waitForReboot({ io, xend }: XmContext, before: ReadonlyMap<string, number>): Promise<void> {
  const waiting = new Map([...before.keys()].map((name) => [name, 0]));
  while (waiting.size > 0) {
    await pollSecond(io);
    const domains = new Map((await xend.domains()).map((domain) => [domain.name, domain]));
    for (const [name, missed] of waiting) {
      const domain = domains.get(name);
      if (domain) {
        if (domain.restartCount === before.get(name)) continue;
        io.print(`Domain ${name} rebooted\n`);
        waiting.delete(name);
      } else if (missed >= REBOOT_POLLS) {
        io.print(`Domain ${name} destroyed for failing to reboot\n`);
        waiting.delete(name);
      } else waiting.set(name, missed + 1);
    }
  }
  io.print('All domains rebooted\n');
}
