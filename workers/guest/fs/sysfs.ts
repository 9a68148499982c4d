/** /sys: block devices, network interfaces, cpus, and what the machine says about the hypervisor. */
import type { Core } from '../core';
import type { SyntheticNode } from './inode';
import { fileNode, treeNode } from './procfs';

export function sysRoot(core: Core): SyntheticNode {
  const current = () => {
    const files = new Map<string, SyntheticNode>();
    for (const { name, major, minor, sectors, readonly } of core.block.list()) {
      files.set(
        `block/${name}/dev`,
        fileNode(() => `${major}:${minor}\n`),
      );
      files.set(
        `block/${name}/size`,
        fileNode(() => `${sectors}\n`),
      );
      files.set(
        `block/${name}/ro`,
        fileNode(() => `${readonly ? 1 : 0}\n`),
      );
      for (const holder of core.block.holdersOf(name))
        files.set(
          `block/${name}/holders/${holder}`,
          fileNode(() => ''),
        );
    }
    for (let vcpu = 0; vcpu < core.machine.vcpus; vcpu++)
      files.set(
        `devices/system/cpu/cpu${vcpu}/online`,
        fileNode(() => (core.machine.isOnline(vcpu) ? '1\n' : '0\n')),
      );
    for (const [path, read] of core.machine.extraFiles()) {
      if (path.startsWith('/sys/')) files.set(path.slice(5), fileNode(read));
      else if (path.startsWith('hypervisor/')) files.set(path, fileNode(read));
    }
    for (const [path, file] of core.net?.sysFiles?.() ?? []) files.set(`class/net/${path}`, file);
    return treeNode(files);
  };
  return { list: () => current().list!(), lookup: (name) => current().lookup!(name) };
}
