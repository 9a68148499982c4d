/** xm vcpu-set, xm vcpu-pin: how many virtual cpus are online, and where they may run. */
import { parseCpuList } from '../../xend/cpuList';
import { intArgument, type XmCommand, XmError } from '../command';

const ALL_CPUS = Array.from({ length: 64 }, (_, cpu) => cpu);

export const vcpuSet: XmCommand = {
  name: 'vcpu-set',
  usage: '<Domain> <vCPUs>',
  summary: 'Set the number of active VCPUs for allowed for the domain.',
  group: 'domain',
  minArgs: 2,
  maxArgs: 2,
  async run({ xend }, [domain, count]) {
    const vcpus = intArgument(count!);
    await xend.setVcpuCount(domain!, vcpus);
    return 0;
  },
};

export const vcpuPin: XmCommand = {
  name: 'vcpu-pin',
  usage: '<Domain> <VCPU|all> <CPUs|all>',
  summary: 'Set which CPUs a VCPU can use.',
  group: 'domain',
  minArgs: 3,
  maxArgs: 3,
  async run({ xend }, [domain, vcpu, cpus]) {
    const which = vcpu === 'all' ? 'all' : intArgument(vcpu!);
    await xend.pinVcpu(domain!, which, cpus === 'all' ? ALL_CPUS : cpuList(cpus!));
    return 0;
  },
};

function cpuList(text: string): readonly number[] {
  try {
    return parseCpuList(text);
  } catch {
    throw new XmError('Invalid argument.');
  }
}
