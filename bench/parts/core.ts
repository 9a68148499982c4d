/** The parts below a host, each measured alone: scheduler, store, rings. */
import type { Part } from '../row';
import { measureRings } from './rings';
import { benchSchedule } from './schedule';
import { benchXenstore } from './xenstore';

export const core: Part = async () => {
  const store = benchXenstore();
  return [
    { name: 'scheduler decisions, 8 busy and 200 idle domains', value: benchSchedule(), unit: '/s' },
    { name: 'xenstore reads', value: store.readsPerSecond, unit: '/s' },
    { name: 'xenstore writes', value: store.writesPerSecond, unit: '/s' },
    { name: 'xenstore transactions of four requests', value: store.transactionsPerSecond, unit: '/s' },
    ...measureRings().map(({ name, value }) => ({ name, value: value / 1048576, unit: 'MiB/s' })),
  ];
};
