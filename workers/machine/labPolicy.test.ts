/** The policy tools over a machine that runs, as the page uses them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabEvent, LabResult } from '../contract';
import { type BootedHost, bootedHost } from '../platform/node/testing';
import { Lab } from './lab';
import { LabPolicy } from './labPolicy';

let machine: BootedHost;
let lab: LabPolicy;
beforeAll(async () => {
  machine = await bootedHost({ acm: true });
  lab = new LabPolicy(machine.host.host);
  lab.report(0);
});
afterAll(() => {
  expect(machine.bugs).toEqual([]);
  machine.close();
});

const run = async (command: string) => (await machine.exec(command)).output;
const report = (wallMs: number): readonly LabEvent[] => lab.report(wallMs);

describe('the policy tools over a machine', () => {
  it('know what is in force before anybody has set a policy', () => {
    expect(lab.live()).toMatchObject({
      isBuilt: true,
      policy: { name: 'DEFAULT', version: '1.0', isBoot: false },
      domains: [{ domid: 0, name: 'Domain-0', label: 'ACM:DEFAULT:SystemManagement' }],
    });
    expect(lab.inForce()).toContain('<PolicyName>DEFAULT</PolicyName>');
  });

  it('keep every refusal with its reason, found again by what the terminal shows', async () => {
    lab.watch(true);
    await run(
      'xm setpolicy ACM mytest; cd /root; xm addlabel A-Bank dom domain1.xm; xm addlabel B-Bank dom domain2.xm',
    );
    const disk = await run('cd /root; xm create domain1.xm');
    expect(disk).toContain("Error: VM's access to block device 'file:/home/xen/dom_fc5/fedora.fc5.img' denied");
    await run('for f in img swap; do xm addlabel A-Bank res file:/home/xen/dom_fc5/fedora.fc5.$f; done');
    await run('cd /root; xm create domain1.xm');
    expect(await run('cd /root; xm create domain2.xm')).toContain("'Domain in conflict set with running domains'");

    const events = report(1000);
    const decisions = events.flatMap((event) => (event.type === 'decisions' ? event.decisions : []));
    const found = (text: string) => {
      const number = lab.findRefusal(text, 0);
      return decisions.find((decision) => decision.number === number);
    };
    expect(found("VM's access to block device 'file:/home/xen/dom_fc5/fedora.fc5.img' denied")).toMatchObject({
      hook: 'sharing',
      isPermitted: false,
      policy: 'mytest 1.0',
      subject: { label: 'A-Bank', ste: ['A-Bank'] },
      object: { label: '__UNLABELED__', ste: ['__UNLABELED__'] },
      types: [],
      verdict: { asked: 'disk', who: 'domain1', resource: 'file:/home/xen/dom_fc5/fedora.fc5.img' },
    });
    expect(found('Domain in conflict set with running domains')).toMatchObject({
      hook: 'conflictset',
      subject: { label: 'B-Bank', chwall: ['B-Bank'] },
      conflict: {
        type: 'B-Bank',
        holders: [{ set: 'RER', name: 'domain1', label: 'A-Bank', type: 'A-Bank' }],
      },
      verdict: { asked: 'start', who: 'domain2', isPermitted: false },
    });
    // The hypervisor refused first; xend asked it for the reason.
    expect(decisions.some(({ hook, isPermitted }) => hook === 'create' && !isPermitted)).toBe(true);
    expect(lab.findRefusal('never said', 0)).toBeNull();
    // Xen's own words lead to its own decision; dry-run's to the one that it has asked for.
    const [words = ''] = /CHINESE WALL CONFLICT in type [0-9a-f]+\./.exec(await run('xm dmesg')) ?? [];
    expect(found(words)).toMatchObject({ hook: 'create', conflict: { type: 'B-Bank' }, verdict: undefined });
    await run('cd /root; xm dry-run domain2.xm');
    expect(lab.findRefusal('file:/home/xen/domain2/fedora.fc5.img: DENIED', 0)).toBe(
      lab.watch(true).decisions.find(({ verdict }) => verdict?.who === 'a domain labelled ACM:mytest:B-Bank')?.number,
    );
    expect(report(1001)).toEqual([]);
  });

  it('show live counts of the conflict sets', () => {
    const { conflictSets } = lab.live();
    expect(conflictSets.find(({ name }) => name === 'RER')?.types).toEqual(
      [
        { type: '__UNLABELED__', running: 0, aggregate: 1, holders: [] },
        { type: 'A-Bank', running: 1, aggregate: 0, holders: ['domain1'] },
        { type: 'B-Bank', running: 0, aggregate: 1, holders: [] },
      ].sort((a, b) => (a.type < b.type ? -1 : 1)),
    );
  });

  it('keep what xend refuses by itself, and what it went by', async () => {
    const reasonOf = (text: string) => {
      const number = lab.findRefusal(text, 0);
      return lab.watch(true).decisions.find((decision) => decision.number === number)?.verdict?.reason;
    };
    const image = 'file:/home/xen/dom_fc5/fedora.fc5.img';
    const before = lab.findRefusal('', 0);
    await run(`xm resetpolicy; xm rmlabel res ${image}; cd /root; xm addlabel barge dom domain3.xm`);
    expect(reasonOf("Could not reset the system's policy. Try to halt all guests.")).toBe(
      'DEFAULT lets nothing run but Domain-0: domain1.',
    );
    expect(reasonOf('An error occurred removing the label: The resource is in use')).toBe('domain1 uses it.');
    expect(reasonOf("Label 'barge' not found.")).toBe('Policy mytest has no VM label barge.');
    expect(lab.findRefusal('', 3)).toBe(before);
  });

  it('foresee what setpolicy will answer', async () => {
    const xml = lab.inForce()!;
    const next = xml
      .replace(
        '<Version>1.0</Version>',
        '<Version>1.1</Version><FromPolicy><PolicyName>mytest</PolicyName><Version>1.0</Version></FromPolicy>',
      )
      .replace(/<ResourceLabel>\s*<Name>A-Bank<\/Name>\s*<SimpleTypeEnforcementTypes>\s*<Type>A-Bank</, (text) =>
        text.replace(/A-Bank<$/, 'B-Bank<'),
      );
    const answer = lab.whatIf(next, 'domain1 may read file:/home/xen/dom_fc5/fedora.fc5.img');
    expect(answer.isLegal).toBe(false);
    expect(answer.reasons.map(({ code }) => code)).toEqual(['RESOURCE_ACCESS', 'RESOURCE_ACCESS']);
    expect(answer.domains.find(({ name }) => name === 'domain1')?.refusals).toHaveLength(2);
    expect(answer.assertions[0]).toMatchObject({ state: 'fails' });
    await run(`cat >/tmp/next-security_policy.xml <<'END'\n${next}\nEND`);
    expect(await run('cd /tmp; xm setpolicy ACM next')).toContain('Error accessing resource');

    const harmless = xml.replace(
      '<Version>1.0</Version>',
      '<Version>1.1</Version><FromPolicy><PolicyName>mytest</PolicyName><Version>1.0</Version></FromPolicy>',
    );
    expect(lab.whatIf(harmless, '')).toMatchObject({ isLegal: true, inForce: 'mytest 1.0' });
    await run(`cat >/tmp/next-security_policy.xml <<'END'\n${harmless}\nEND`);
    expect(await run('cd /tmp; xm setpolicy ACM next')).toContain('Successfully set the new policy.');
    const refusal = lab.findRefusal('An error occurred trying to set the policy: Error accessing resource.', 0);
    expect(refusal).not.toBeNull();
  });

  it('say why a ping between labels that may not share gets through', async () => {
    await run(
      'cd /root; xm addlabel AutoCorp dom domain3.xm; for f in img swap; do xm addlabel AutoCorp res file:/home/xen/domain3/fedora.fc5.$f; done',
    );
    expect(await run('cd /root; xm create domain3.xm')).toContain('Started domain domain3');
    const [note] = lab.live().bridges;
    expect(note).toMatchObject({ bridge: 'xenbr0', shared: [['A-Bank'], ['AutoCorp']] });
    expect(note?.domains.map(({ name }) => name)).toEqual(['domain1', 'domain3']);
  });

  it('name decisions by the policy that made them, also after another one has taken its place', async () => {
    await run('xm destroy domain1; xm destroy domain3; sleep 3; xm resetpolicy');
    lab.report(5000);
    const { decisions } = lab.watch(true);
    expect(
      decisions.find(({ policy, hook }) => policy === 'mytest 1.0' && hook === 'conflictset')?.conflict?.type,
    ).toBe('B-Bank');
    expect(lab.live().policy).toMatchObject({ name: 'DEFAULT' });
  });

  it('keep that dry-run found no label, by both lines that it prints', async () => {
    expect(await run('cd /root; grep -v access_control domain1.xm >bare.xm; xm dry-run bare.xm')).toContain(
      '   domain1: DENIED\n   --> Domain not labeled\n',
    );
    const number = lab.findRefusal('domain1: DENIED', 0);
    expect(lab.findRefusal('Domain not labeled', 0)).toBe(number);
    expect(lab.watch(true).decisions.find((decision) => decision.number === number)?.verdict).toMatchObject({
      asked: 'start',
      who: 'domain1',
      isPermitted: false,
    });
  });
});

describe('a policy tool typed in Domain-0', () => {
  it('asks for its pane and waits until it is closed', async () => {
    const page = new Lab(machine.host.host);
    const events: LabEvent[] = [];
    await page.boot({
      events: { postMessage: (batch) => void events.push(...(batch as LabEvent[])), onmessage: null, close: () => {} },
    });
    const typed = run('cd /root; xensec_ezpolicy my.wld; xensec_gen; echo "status $?"');
    const asked = async (tool: string) => {
      for (let i = 0; i < 200; i++) {
        await machine.advance(10);
        page.report(i * 100);
        const request = events.find((event) => event.type === 'toolRequested' && event.tool === tool);
        if (request?.type === 'toolRequested') return request;
      }
      throw new Error(`${tool} was not asked for`);
    };
    const request = await asked('xensec_ezpolicy');
    expect(request.path).toBe('/root/my.wld');
    const done: LabResult<null> = await page.editDone(request.editId);
    expect(done.ok).toBe(true);
    expect(await typed).toBe('Goodbye\nstatus 0\n');
    await asked('xensec_gen');
    machine.host.host.onTool = undefined;
    expect(await run('xensec_gen -p 99999 2>&1 | head -1; xensec_gen x 2>&1 | head -1; xensec_ezpolicy; echo $?')).toBe(
      'Error: HTTP port is not valid\nError: command arguments are not supported\nUnable to access the X Display, is $DISPLAY set properly?\n1\n',
    );
  });
});
