import type { MigrationPhase, MigrationStopRule } from '../../workers/contract';
import type { PageClass } from './pageClasses';

const number = new Intl.NumberFormat('en');

export const text = {
  label: 'Live migration',
  loading: 'Loading …',
  choose: 'Migration',
  entry: (domain: string, from: string, to: string, when: string, phase: string) =>
    `${domain}: ${from} → ${to}, ${when}, ${phase}`,
  phases: {
    connecting: 'connecting',
    copying: 'copying while the guest runs',
    suspending: 'asking the guest to stop',
    stopped: 'the guest stands, the last pages go',
    'handing over': 'handing over',
    done: 'done',
    failed: 'failed',
    cancelled: 'cancelled',
  } satisfies Record<MigrationPhase, string>,
  cancel: 'Cancel',
  cancelHint: 'Ends the migration: the guest goes on here, and nothing of it stays at the destination',
  cancelling: 'Cancelling …',
  cancelled: 'Cancelled: the guest goes on here.',
  presenter: 'Presenter view',
  presenterLabel: 'Live migration, presenter view',
  leavePresenter: 'Close (Esc)',
  offer: (domain: string, from: string, to: string) => `${domain}: ${from} → ${to}`,
  offerHint: 'A domain moves between two hosts of this network',
  offerShow: 'Show the migration',

  source: 'Source',
  destination: 'Destination',
  here: 'this tab',
  noMap: {
    source: 'The source is not on this network, or has not sent anything yet.',
    destination: 'Nothing has arrived yet, or the destination is not on this network.',
    kept: 'Memory maps are kept for the last migration only.',
  },
  map: (what: string, host: string, pages: number) =>
    `Memory of the guest at the ${what} ${host}, ${number.format(pages)} pages`,
  mapHint: 'One square is one page of 4 KiB, the lowest frame top left.',
  classes: {
    none: 'not sent, or without memory',
    skipped: 'skipped: written again before it was sent',
    round1: 'round 1',
    round2: 'round 2',
    round3: 'round 3',
    round4: 'round 4',
    round5: 'rounds 5–9',
    round10: 'round 10 and later',
    last: 'last round, the guest stands',
    unknown: 'arrived, round not known',
    stale: 'stale: written again since it was sent',
  } satisfies Record<PageClass, string>,
  classesAtDestination: { none: 'not arrived, or without memory' },
  pages: (count: number) => number.format(count),

  facts: {
    phase: 'State',
    kind: 'Kind',
    live: 'live',
    notLive: 'not live: the guest stands from the beginning',
    unknownKind: 'known at the source only',
    memory: 'Memory',
    memoryValue: (pages: number) => `${number.format(pages)} pages, ${Math.round(pages / 256)} MiB`,
    sent: 'Sent',
    sentValue: (sent: number, pages: number) =>
      pages === 0 ? number.format(sent) : `${number.format(sent)} pages, ${(sent / pages).toFixed(2)} × memory`,
    rule: 'Rounds ended',
    notYet: 'not yet',
    suspend: 'Guest suspended in',
    total: 'In all',
    rate: 'Rate limit',
    noRate: 'none (xm migrate -r)',
    mbit: (mbit: number) => `${number.format(mbit)} Mbit/s`,
    link: 'Cable of the source',
  },
  rules: {
    'not live': 'not live: there is one round, and the guest stands',
    iterations: 'after 29 rounds: no more are made',
    'few pages': 'fewer than 50 pages were left for the round',
    'too much sent': 'more than 3 × memory had been sent',
  } satisfies Record<MigrationStopRule, string>,

  rounds: 'Rounds',
  roundsCaption: 'Pages and speed of each round; bars are logarithmic',
  columns: {
    round: 'Round',
    sent: 'Sent',
    arrived: 'Arrived',
    skipped: 'Skipped',
    dirtied: 'Dirtied',
    time: 'Virtual time',
    wall: 'Wall time',
    speed: 'Mbit/s',
  },
  lastMark: 'last',
  unknownRound: 'not known',
  sourceOnly: 'The destination cannot see what was skipped and dirtied.',
  noRounds: 'No round is over yet.',
  noTime: 'no time',
  dash: '–',

  downtime: 'Downtime',
  downtimeCaption: 'How long the guest stood still, by three observers',
  observers: {
    source: 'Source: from the guest’s stop to the word that it runs',
    destination: 'Destination: from the word of the stop until it let the guest run',
    guest: 'Guest’s heartbeat: from its last instruction there to its first one here',
  },
  virtual: 'Virtual',
  virtualHint: 'By the host’s virtual clock; for the heartbeat, by the clock that the guest reads on either host',
  wall: 'Wall',
  wallHint: 'By this computer’s clock, which all tabs share',
  notMeasured: 'not measured',
  clocks:
    'The guest reads the clock of the host that it runs on: what the two hosts’ clocks differ by is in its virtual time.',
  published: 'Published',
  figures: {
    quake: 'Quake 3 server (Clark et al. 2005)',
    specweb: 'SPECweb99 (Clark et al. 2005)',
    manual: 'Users’ Manual: “60–300 ms”',
  },
  milliseconds: (ms: number) =>
    ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`,

  rate: 'Speed',
  rateCaption: 'Pages sent, and pages that the guest dirtied in each round, Mbit/s over virtual time',
  rateSent: 'sent',
  rateArrived: 'arrived',
  rateDirtied: 'dirtied',
  rateTime: 'ms',
  noRates: 'No curve: nothing has been sent yet, or it took no virtual time.',

  log: 'The same in Domain-0',
  logHint:
    'xend.log has a line for each round, the rule that ended them, and the downtimes, on each host its own part.',
  logCommand: 'grep XendCheckpoint /var/log/xen/xend.log | tail -n 40',
  typeIt: 'Type it for me',
  busy: 'The terminal does not show an empty prompt. In a guest’s console, Ctrl-] leads back to Domain-0.',

  link: {
    heading: 'Cable of this host',
    speed: 'Speed',
    latency: 'Latency',
    plugged: 'plugged in',
    unlimited: 'no limit',
    speedOf: (mbit: number) => (mbit >= 1000 ? `${mbit / 1000} Gbit/s` : `${mbit} Mbit/s`),
    latencyOf: (ms: number) => `${ms} ms`,
    hint: 'Between two hosts the slower of their cables counts, and both latencies. Without a limit, pages take no virtual time.',
  },

  workload: {
    heading: 'Work in the guest',
    domain: 'Guest',
    kind: 'Kind of work',
    kinds: { idle: 'idle', web: 'web', game: 'game', memory: 'memory' } as const,
    pages: 'Pages written per second',
    pagesValue: (pages: number) => `${number.format(pages)} pages/s`,
    noDomain: 'No guest runs here.',
    noKey: (key: string) =>
      `This guest offers no workload: there is no key ${key}. Start the program workload in a mini guest.`,
    hint: 'The slider writes the key that the guest’s program watches:',
    failed: (output: string) => `xenstore-write failed: ${output}`,
  },

  guide: {
    heading: 'Move a running guest from this host to another one',
    create: 'Start a guest without a disk of its own:',
    host: 'Open a second host on the same network, a tab or a part of this page, and wait for its prompt:',
    hostButton: 'Host +',
    hostHereButton: 'In this page',
    migrate: 'Send the guest there while it runs:',
    after:
      'The picture begins with the migration, on both hosts. Both may stand side by side; the other one’s half is shown here as well.',
  },
};
