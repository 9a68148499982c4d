import { expect, it } from 'vitest';
import { refusalsIn } from './refusals';

const textOf = (line: string) => refusalsIn(line).map(({ text }) => text);

it('finds the refusals of the manual in the lines of xm', () => {
  expect(textOf("Error: VM's access to block device 'file:/home/xen/dom_fc5/fedora.fc5.img' denied")).toEqual([
    "VM's access to block device 'file:/home/xen/dom_fc5/fedora.fc5.img' denied",
  ]);
  expect(textOf("Error: 'Domain in conflict set with running domains'")).toEqual([
    'Domain in conflict set with running domains',
  ]);
  expect(textOf('Error: VM is not authorized to run.')).toEqual(['VM is not authorized to run.']);
  expect(
    textOf("Error: 'An error occurred trying to set the policy: The version of the policy prevents an update.'"),
  ).toEqual(['An error occurred trying to set the policy: The version of the policy prevents an update.']);
  expect(textOf("Error: 'An error occurred relabeling the domain: Operation failed in hypervisor'")).toEqual([
    'An error occurred relabeling the domain: Operation failed in hypervisor',
  ]);
});

it('finds those of dry-run and of Xen itself', () => {
  expect(textOf('   file:/a b.img: DENIED')).toEqual(['file:/a b.img: DENIED']);
  expect(textOf('   nbd:a 2000: DENIED')).toEqual(['nbd:a 2000: DENIED']);
  expect(textOf('   domain1: DENIED')).toEqual(['domain1: DENIED']);
  expect(textOf('   --> Domain not labeled')).toEqual(['Domain not labeled']);
  expect(textOf('   --> res: __UNLABELED__ (ACM:NULL)')).toEqual([]);
  expect(textOf('(XEN) CHINESE WALL CONFLICT in type 04.')).toEqual(['CHINESE WALL CONFLICT in type 04.']);
});

it('finds what a guest’s kernel says when the hypervisor refuses its event channel', () => {
  expect(textOf('vbd vbd-51712: 13 allocating event channel')).toEqual(['vbd vbd-51712: 13 allocating event channel']);
  expect(textOf('vbd vbd-51712: 12 allocating event channel')).toEqual([]);
});

it.each([
  ["Could not reset the system's policy. Try to halt all guests."],
  ['SECURITY_ERROR: -4100:Policy has inconsistencies'],
  ['An error occurred labeling the resource: The resource is in use'],
  ['An error occurred removing the label: The resource is in use'],
  ['The resource is in use'],
  ["Label 'barge' not found."],
])('finds %s', (said) => {
  expect(textOf(`Error: ${said.includes("'") ? `"${said}"` : `'${said}'`}`)).toEqual([said]);
});

it('sees none in other lines', () => {
  expect(textOf('[root@host1 ~]# echo VM is not authorized to run.')).toEqual([]);
  expect(textOf("Error: Domain 'x' does not exist.")).toEqual([]);
});
