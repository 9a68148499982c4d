/** How fast the scheduler decides: vcpus that wake, preempt, yield and block as fast as they can. */
import { performance } from 'node:perf_hooks';
import { TRC_SCHED_CONTINUE_RUNNING, TRC_SCHED_SWITCH } from '../../workers/abi/trace';
import { credit } from '../../workers/hypervisor/sched/credit';
import { Testbed } from '../../workers/hypervisor/sched/testbed';

/**
 * Schedule decisions per second of real time on a host with two pcpus, eight busy domains and 200 blocked ones; measured
 * for about `seconds` after a short warm-up.
 */
export function benchSchedule(seconds = 1): number {
  let decisions = 0;
  const bed = new Testbed(credit, { sockets: 1, cores: 2, threads: 1 }, {}, (event) => {
    if (event === TRC_SCHED_SWITCH || event === TRC_SCHED_CONTINUE_RUNNING) decisions++;
  });
  for (let domid = 100; domid < 300; domid++)
    bed.add(domid, 0, ({ unit }) => {
      bed.schedule.block(unit);
      return 1000;
    });
  for (let domid = 1; domid <= 4; domid++)
    bed.add(domid, 0, ({ unit }) => {
      bed.schedule.yield(unit);
      return 20_000;
    });
  for (let domid = 5; domid <= 8; domid++) bed.periodic(domid, 10_000, 50_000 + 1_000 * domid);
  bed.runFor(500_000_000);
  decisions = 0;
  const startMs = performance.now();
  const endMs = startMs + 1000 * seconds;
  while (performance.now() < endMs) bed.runFor(10_000_000);
  return Math.round((1000 * decisions) / (performance.now() - startMs));
}
