/** xm vcpu-list: where every virtual cpu runs and may run. */
import type { XmCommand, XmContext } from '../command';
import { VCPU_HEADER, vcpuRow } from '../format';
import { keyOf, selectDomains } from './list';

export const vcpuList: XmCommand = {
  name: 'vcpu-list',
  usage: '[Domain, ...]',
  summary: 'List the VCPUs for all/some domains.',
  group: 'domain',
  run: (context, args) => printVcpuList(context, args),
};

export async function printVcpuList(context: XmContext, names: readonly string[]): Promise<number> {
  const domains = await selectDomains(context, names);
  const hostCpus = Number((await context.xend.nodeInfo()).find(([key]) => key === 'nr_cpus')?.[1] ?? '1');
  const lines = [VCPU_HEADER];
  for (const domain of domains)
    for (const vcpu of await context.xend.vcpus(keyOf(domain))) lines.push(vcpuRow(domain, vcpu, hostCpus));
  context.io.print(`${lines.join('\n')}\n`);
  return 0;
}
