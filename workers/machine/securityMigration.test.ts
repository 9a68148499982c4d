/** Moves between two hosts that have a policy: the destination decides, and a domain that it refuses stays where it is. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BootedHost, bootedHost, secondHost } from '../platform/node/testing';
import { LabPolicy } from './labPolicy';

const NEW = 'xm create -q /dev/null kernel=/boot/vmlinuz-2.6.18-xenU memory=32';

describe('with a policy on both hosts', () => {
  let one: BootedHost;
  let two: BootedHost;
  const on = async (host: BootedHost, command: string) => (await host.exec(command)).output;
  /** Names and labels of the user domains. */
  const domains = async (host: BootedHost) =>
    (await on(host, 'xm list --label | awk \'NR > 1 && $1 != "Domain-0" { print $1, $NF }\'')).trim();

  beforeAll(async () => {
    one = await bootedHost({ acm: true });
    two = await secondHost(one, 'host2', { acm: true });
    for (const host of [one, two]) await on(host, 'xm setpolicy ACM mytest');
    expect(await on(one, `${NEW} name=bank 'access_control=policy=mytest,label=A-Bank'; sleep 5`)).toBe('');
  }, 60_000);
  afterAll(() => {
    expect([...one.bugs, ...two.bugs]).toEqual([]);
    one.close();
  });

  it.each([
    [
      'a domain of the same conflict set runs there',
      `${NEW} name=rival 'access_control=policy=mytest,label=B-Bank'`,
      'xm destroy rival; sleep 1',
      "Error: 'Domain in conflict set with running domains'",
    ],
    [
      'Domain-0 is not authorised to run it there',
      'xm addlabel AutoCorp mgt Domain-0',
      'xm addlabel SystemManagement mgt Domain-0',
      'Error: VM is not authorized to run.',
    ],
    [
      'another policy is in force there',
      'xm resetpolicy',
      'xm setpolicy ACM mytest',
      "Error: Active policy 'DEFAULT' different than what in VM's label ('mytest').",
    ],
  ])('a domain stays and runs on when %s', async (_what, obstacle, remedy, message) => {
    await on(two, obstacle);
    const before = await domains(two);
    for (const option of ['', '--live']) {
      const { status, output } = await one.exec(`xm migrate ${option} bank host2`);
      expect(status).toBe(1);
      expect(output.split('\n')[0]).toBe(message);
      // The link from that line: not an older refusal of this host's own.
      const [, said = ''] = /^Error: (['"]?)(.*)\1$/m.exec(output)?.slice(1) ?? [];
      const page = new LabPolicy(one.host.host);
      const number = page.findRefusal(said, 0);
      expect(page.watch(true).decisions.find((decision) => decision.number === number)?.verdict).toMatchObject({
        asked: 'migrate',
        who: 'bank',
        resource: 'host2',
        isPermitted: false,
        reason: expect.stringContaining('The policy of host2 refused it'),
      });
      expect(await domains(one)).toBe('bank ACM:mytest:A-Bank');
      expect(await domains(two)).toBe(before);
      expect(await on(one, 'xm list bank | tail -1')).toMatch(/ [r-][b-]---- /);
    }
    await on(two, remedy);
  });

  it('takes its label along, and its types are free where it was', async () => {
    expect(await on(one, 'xm migrate --live bank host2')).toBe('');
    expect(await domains(one)).toBe('');
    expect(await domains(two)).toBe('bank ACM:mytest:A-Bank');
    expect(two.host.host.acm!.state.domains().length).toBe(2);
    expect(one.host.host.acm!.state.domains().length).toBe(1);
    expect(await on(one, `${NEW} name=rival 'access_control=policy=mytest,label=B-Bank'`)).toBe('');
    const back = await two.exec('xm migrate bank host1');
    expect(back).toMatchObject({ status: 1, output: expect.stringMatching(/^Error: 'Domain in conflict set/) });
    expect(await domains(two)).toBe('bank ACM:mytest:A-Bank');
  });
});
