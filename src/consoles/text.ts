import type { Place } from './terminalPort';

export const text = {
  ended: 'The terminal has ended.',
  serialLabel: 'Serial console of the machine',
  shellLabel: 'Shell in Domain-0',
  isBack: (name: string, domid: number) => `${name} is back with id ${domid}.`,
  isElsewhere: ({ host, domid }: Place) =>
    `The domain runs on ${host} now, with id ${domid}. Its console goes on here.`,
  at: (host: string) => `on ${host}`,
  isHere: ({ domid }: Place) => `The domain is back on this host, with id ${domid}.`,
  consoleLabel: (name: string) => `Console of ${name}`,
};
