/** Messages as those of Red Hat's /etc/init.d/iptables. */
import { describe, expect, it } from 'vitest';
import { netStackFactory } from './net/netStackFactory';
import { commonPrograms } from './programs/index';
import { shell } from './shell/index';
import { testKernel } from './testing';

function machine() {
  const kernel = testKernel([...commonPrograms, shell], { net: netStackFactory() });
  kernel.run('ifconfig lo 127.0.0.1 up');
  return kernel;
}

const ok = (message: string) => `${message.padEnd(60)}[  OK  ]\n`;

describe('service iptables', () => {
  it('saves the rules, takes them away and puts them back', () => {
    const kernel = machine();
    expect(kernel.run('service iptables status')).toMatchObject({ status: 1, stdout: 'Firewall is stopped.\n' });
    kernel.run('iptables -A INPUT -p tcp --dport 8002 -j REJECT; iptables -P FORWARD DROP; iptables -N mine');
    const rules = kernel.run('iptables -n -L').stdout;
    expect(kernel.run('service iptables save')).toEqual({
      status: 0,
      stdout: ok('Saving firewall rules to /etc/sysconfig/iptables: '),
      stderr: '',
    });
    expect(kernel.run('stat -c %a /etc/sysconfig/iptables; ls /tmp').stdout).toBe('600\n');
    const stopped = ok('Flushing firewall rules: ') + ok('Setting chains to policy ACCEPT: filter ');
    expect(kernel.run('service iptables stop')).toEqual({ status: 0, stdout: stopped, stderr: '' });
    expect(kernel.run('iptables-save | grep -c "^-A\\|DROP\\|mine"').stdout).toBe('0\n');
    expect(kernel.run('service iptables restart').stdout).toBe(stopped + ok('Applying iptables firewall rules: '));
    expect(kernel.run('iptables -n -L').stdout).toBe(rules);
    expect(kernel.run('service iptables status').stdout).toBe(`Table: filter\n${rules}\n`);
    kernel.run('iptables -F; service iptables save');
    expect(kernel.run('grep -c 8002 /etc/sysconfig/iptables /etc/sysconfig/iptables.save').stdout).toBe(
      '/etc/sysconfig/iptables:0\n/etc/sysconfig/iptables.save:1\n',
    );
  });

  it('says when it cannot apply them', () => {
    const kernel = machine();
    kernel.run('echo nonsense > /etc/sysconfig/iptables');
    expect(kernel.run('service iptables start')).toMatchObject({
      status: 1,
      stdout: `${'Applying iptables firewall rules: '.padEnd(60)}[FAILED]\n`,
      stderr: 'iptables-restore: line 1 failed\n',
    });
  });

  it('shuts everything out in a panic', () => {
    const kernel = machine();
    kernel.run('service iptables panic');
    expect(kernel.run('ping -c1 127.0.0.1').stderr).toContain('ping: sendmsg: Operation not permitted\n');
  });
});
