/** Formats and messages are those of iptables 1.3.5, as Red Hat Enterprise Linux 5 and Debian 4.0 show them. */
import { describe, expect, it } from 'vitest';
import { netStackFactory } from '../../../net/netStackFactory';
import { shell } from '../../../shell/index';
import { testKernel } from '../../../testing';
import { commonPrograms } from '../../index';

function machine() {
  const kernel = testKernel([...commonPrograms, shell], {
    net: netStackFactory({ pairs: [['veth0', '00:16:3e:00:00:01', 'vif0.0', 'fe:ff:ff:ff:ff:ff']] }),
  });
  kernel.run('ifconfig lo 127.0.0.1 up');
  return kernel;
}

const HELP = "Try `iptables -h' or 'iptables --help' for more information.\n";
const EMPTY = `Chain INPUT (policy ACCEPT)
target     prot opt source               destination         

Chain FORWARD (policy ACCEPT)
target     prot opt source               destination         

Chain OUTPUT (policy ACCEPT)
target     prot opt source               destination         
`;

describe('iptables -L', () => {
  it('shows three chains without a rule', () => {
    expect(machine().run('iptables -L')).toEqual({ status: 0, stdout: EMPTY, stderr: '' });
  });

  it('shows the rules of the manual, the inserted one first', () => {
    const kernel = machine();
    kernel.run('iptables -A INPUT -p tcp --destination-port 8002 -j REJECT');
    kernel.run('iptables -I INPUT -p tcp --source 192.0.2.0/24 \\\n    --destination-port 8002 -j ACCEPT');
    expect(kernel.run('iptables -L INPUT').stdout).toBe(`Chain INPUT (policy ACCEPT)
target     prot opt source               destination         
ACCEPT     tcp  --  192.0.2.0/24         anywhere            tcp dpt:8002 
REJECT     tcp  --  anywhere             anywhere            tcp dpt:8002 reject-with icmp-port-unreachable 
`);
    expect(kernel.run('iptables -nvL INPUT --line-numbers').stdout).toBe(`Chain INPUT (policy ACCEPT 0 packets, 0 bytes)
num   pkts bytes target     prot opt in     out     source               destination         
1        0     0 ACCEPT     tcp  --  *      *       192.0.2.0/24         0.0.0.0/0           tcp dpt:8002 
2        0     0 REJECT     tcp  --  *      *       0.0.0.0/0            0.0.0.0/0           tcp dpt:8002 reject-with icmp-port-unreachable 
`);
  });

  it('shows every kind of match and target', () => {
    const kernel = machine();
    kernel.run('iptables -N checked; iptables -A checked -p icmp --icmp-type echo-request -j RETURN');
    kernel.run('iptables -A checked -p ! udp -s ! 10.0.0.0/255.0.0.0 -i eth+ -f');
    kernel.run('iptables -A checked -p udp --sport 1024: --dport ! 53 -j LOG --log-prefix "dns: " --log-level info');
    kernel.run('iptables -A checked -p tcp ! --syn -m state --state NEW,ESTABLISHED -j REJECT --reject-with tcp-reset');
    kernel.run('iptables -A FORWARD -m physdev --physdev-in vif1.0 --physdev-is-bridged -s 192.0.2.9 -j checked');
    const { stdout } = kernel.run('iptables -n -L FORWARD; iptables -n -L checked');
    expect(stdout).toBe(`Chain FORWARD (policy ACCEPT)
target     prot opt source               destination         
checked    all  --  192.0.2.9            0.0.0.0/0           PHYSDEV match --physdev-in vif1.0 --physdev-is-bridged 
Chain checked (1 references)
target     prot opt source               destination         
RETURN     icmp --  0.0.0.0/0            0.0.0.0/0           icmp type 8 
          !udp  -f !10.0.0.0/8           0.0.0.0/0           
LOG        udp  --  0.0.0.0/0            0.0.0.0/0           udp spts:1024:65535 dpt:!53 LOG flags 0 level 6 prefix \`dns: ' 
REJECT     tcp  --  0.0.0.0/0            0.0.0.0/0           tcp flags:!0x17/0x02 state NEW,ESTABLISHED reject-with tcp-reset 
`);
    expect(kernel.run('iptables -L checked -v').stdout.split('\n')[3]).toBe(
      '    0     0           !udp  -f  eth+   any    !10.0.0.0/8           anywhere            ',
    );
  });

  it('cuts counters to five places unless they are wanted whole', () => {
    const kernel = machine();
    kernel.run('iptables -A INPUT -c 99999 100000; iptables -A INPUT -c 12345678 9876543210');
    const rows = (options: string) =>
      kernel
        .run(`iptables ${options} -L INPUT -n`)
        .stdout.split('\n')
        .slice(2, 4)
        .map((row) => row.slice(0, 20));
    expect(rows('-v')).toEqual(['99999  100K         ', '  12M 9877M         ']);
    expect(rows('-v -x')).toEqual(['   99999   100000   ', '12345678 9876543210 ']);
  });

  it('names the services and hosts that the files know', () => {
    const kernel = machine();
    kernel.run('echo "192.0.2.7 seven" >> /etc/hosts; echo "ssh 22/tcp" > /etc/services');
    kernel.run('iptables -A INPUT -p tcp -s seven --dport ssh');
    expect(kernel.run('iptables -L INPUT').stdout).toContain('seven                anywhere            tcp dpt:ssh ');
    expect(kernel.run('iptables -n -L INPUT').stdout).toContain(
      ' 192.0.2.7            0.0.0.0/0           tcp dpt:22 ',
    );
  });
});

describe('iptables changes', () => {
  it('rules by number and by their text, counters aside', () => {
    const kernel = machine();
    kernel.run(
      'iptables -A INPUT -s 10.0.0.1 -c 5 500; iptables -A INPUT -s 10.0.0.2; iptables -I INPUT 2 -s 10.0.0.3',
    );
    const sources = () => [...kernel.run('iptables -n -L INPUT').stdout.matchAll(/10\.0\.0\.\d/g)].map(String);
    expect(sources()).toEqual(['10.0.0.1', '10.0.0.3', '10.0.0.2']);
    expect(kernel.run('iptables -R INPUT 3 -s 10.0.0.4').status).toBe(0);
    expect(kernel.run('iptables -D INPUT 2').status).toBe(0);
    expect(kernel.run('iptables --delete INPUT --source 10.0.0.1/32').status).toBe(0);
    expect(sources()).toEqual(['10.0.0.4']);
    expect(kernel.run('iptables -D INPUT -s 10.0.0.1')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'iptables: Bad rule (does a matching rule exist in that chain?)\n',
    });
    kernel.run('iptables -F');
    expect(kernel.run('iptables -L').stdout).toBe(EMPTY);
  });

  it('chains of the user, which cannot go while they are used', () => {
    const kernel = machine();
    kernel.run('iptables -N b; iptables -N a; iptables -A INPUT -j b; iptables -A b -j DROP');
    expect(kernel.run('iptables -L -n').stdout.match(/Chain \w+/g)).toEqual([
      'Chain INPUT',
      'Chain FORWARD',
      'Chain OUTPUT',
      'Chain a',
      'Chain b',
    ]);
    expect(kernel.run('iptables -X b').stderr).toBe("iptables: Can't delete chain with references left\n");
    expect(kernel.run('iptables -E b c').status).toBe(0);
    expect(kernel.run('iptables -n -L INPUT').stdout).toContain('c          all');
    kernel.run('iptables -F INPUT');
    expect(kernel.run('iptables -X c').stderr).toBe('iptables: Chain is not empty\n');
    kernel.run('iptables -F c');
    expect(kernel.run('iptables -X').status).toBe(0);
    expect(kernel.run('iptables -L').stdout).toBe(EMPTY);
  });

  it.each([
    ['-A FOO -j ACCEPT', 'No chain/target/match by that name'],
    ['-L FOO', 'No chain/target/match by that name'],
    ['-I INPUT 2', 'Index of insertion too big'],
    ['-R INPUT 1', 'Index of replacement too big'],
    ['-D INPUT 1', 'Index of deletion too big'],
    ['-X INPUT', "Can't delete built-in chain"],
    ['-N INPUT', 'Chain already exists'],
    ['-P FOO DROP', 'Bad built-in chain name'],
    ['-P INPUT REJECT', 'Bad policy name'],
    ['-A INPUT -j REJECT --reject-with tcp-reset', 'Invalid argument'],
    ['-A INPUT -m tcp --dport 22', 'Invalid argument'],
  ])('refuses %s', (line, message) => {
    const kernel = machine();
    expect(kernel.run(`iptables ${line}`)).toEqual({ status: 1, stdout: '', stderr: `iptables: ${message}\n` });
    expect(kernel.run('iptables -L').stdout).toBe(EMPTY);
  });

  it('refuses chains that lead back to themselves', () => {
    const kernel = machine();
    kernel.run('iptables -N a; iptables -N b; iptables -A a -j b; iptables -A INPUT -j a');
    expect(kernel.run('iptables -A b -j a')).toMatchObject({
      status: 1,
      stderr: 'iptables: Too many levels of symbolic links\n',
    });
  });

  it.each([
    ['', 'no command specified'],
    ['-A INPUT --dport 22', "Unknown arg `--dport'"],
    ['-A INPUT -p icmp --dport 22', "Unknown arg `--dport'"],
    ['-A INPUT -p nonsense', "unknown protocol `nonsense' specified"],
    ['-A INPUT -s 10.0.0.0/33', "invalid mask `33' specified"],
    ['-A INPUT -s nowhere', "host/network `nowhere' not found"],
    ['-A INPUT -p tcp --dport 70000', "invalid port/service `70000' specified"],
    ['-A INPUT -p tcp --dport 9:5', 'invalid portrange (min > max)'],
    ['-A INPUT -j REJECT --reject-with nonsense', "unknown reject type `nonsense'"],
    ['-A INPUT -o eth0', "Can't use -o with INPUT\n"],
    ['-A OUTPUT -i eth0', "Can't use -i with OUTPUT\n"],
    ['-A INPUT -n', "Illegal option `-n' with this command\n"],
    ['-L -s 10.0.0.1', "Illegal option `-s' with this command\n"],
    ['-A INPUT -F', "Can't use -F with -A\n"],
    ['-A INPUT -s 10.0.0.1 -s 10.0.0.2', 'multiple -s flags not allowed'],
    ['-A INPUT -p ! all', 'rule would never match protocol'],
    ['-A INPUT -m state', "You must specify `--state'"],
    ['-A INPUT -m state --state OLD', "Bad state `OLD'"],
    ['-A INPUT -m physdev', 'PHYSDEV: no physdev option specified'],
    ['-A INPUT -p icmp --icmp-type redir', undefined],
    ['-A INPUT -p icmp --icmp-type net', "Ambiguous ICMP type `net': `network-unreachable' or `network-unknown'?"],
    ['-D INPUT x', "Invalid rule number `x'"],
    ['-R INPUT', '-R requires a rule number'],
    ['-P INPUT', '-P requires a chain and a policy'],
    ['-N ACCEPT', 'chain name may not clash with target name\n'],
    [
      '-A INPUT -m limit --limit 3/s',
      "Couldn't load match `limit':/lib/iptables/libipt_limit.so: cannot open shared object file: No such file or directory\n",
    ],
    [
      '-A INPUT -j nowhere',
      "Couldn't load target `nowhere':/lib/iptables/libipt_nowhere.so: cannot open shared object file: No such file or directory\n",
    ],
  ])('reads %s', (line, message) => {
    const { status, stderr } = machine().run(`iptables ${line}`);
    expect(stderr).toBe(message === undefined ? '' : `iptables v1.3.5: ${message}\n${HELP}`);
    expect(status).toBe(message === undefined ? 0 : 2);
  });

  it('says that a word is out of place, without its version', () => {
    expect(machine().run('iptables -L INPUT 1').stderr).toBe(`Bad argument \`1'\n${HELP}`);
  });

  it('is for root, and this kernel has no other table', () => {
    const kernel = machine();
    const upgrade = 'Perhaps iptables or your kernel needs to be upgraded.\n';
    expect(kernel.run('iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE')).toEqual({
      status: 3,
      stdout: '',
      stderr: `iptables v1.3.5: can't initialize iptables table \`nat': Table does not exist (do you need to insmod?)\n${upgrade}`,
    });
    expect(kernel.run("su nobody -s /bin/sh -c 'iptables -L'")).toMatchObject({
      status: 3,
      stderr: `iptables v1.3.5: can't initialize iptables table \`filter': Permission denied (you must be root)\n${upgrade}`,
    });
  });

  it('prints its version, its help and that of what a rule uses', () => {
    const kernel = machine();
    expect(kernel.run('iptables -V').stdout).toBe('iptables v1.3.5\n');
    expect(kernel.run('iptables -h').stdout).toMatch(/^iptables v1\.3\.5\n\nUsage: iptables -\[AD\] chain /);
    expect(kernel.run('iptables -p icmp -h').stdout).toContain('\n   network-unreachable\n');
    expect(kernel.run('iptables -j REJECT -h').stdout).toContain(
      'icmp-port-unreachable    \tICMP port unreachable (default)\n',
    );
  });

  it('says with -v what it does', () => {
    const kernel = machine();
    expect(kernel.run('iptables -v -A INPUT -p tcp --dport 8002 -j REJECT').stdout).toBe(
      'REJECT  tcp opt -- in * out *  0.0.0.0/0  -> 0.0.0.0/0  tcp dpt:8002 reject-with icmp-port-unreachable \n',
    );
    expect(kernel.run('iptables -v -F INPUT').stdout).toBe("Flushing chain `INPUT'\n");
  });
});

describe('iptables-save and iptables-restore', () => {
  const RULES = `*filter
:INPUT DROP [7:420]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:checked - [0:0]
[1:40] -A INPUT -s 192.0.2.0/255.255.255.0 -i eth0 -p tcp -m tcp --dport 8002 -j ACCEPT 
[0:0] -A INPUT -m state --state RELATED,ESTABLISHED -j checked 
[2:80] -A FORWARD -s 192.0.2.9 -m physdev  --physdev-in vif1.0 -j ACCEPT 
[0:0] -A checked -p icmp -m icmp --icmp-type 8 -j LOG --log-prefix "ping: " 
[0:0] -A checked -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j REJECT --reject-with tcp-reset 
[0:0] -A checked -p udp -m udp --sport 68 --dport 67 
COMMIT
`;

  it('write what they read, counters if they are asked to', () => {
    const kernel = machine();
    expect(kernel.run('iptables-save').stdout).toBe('');
    expect(kernel.run('iptables-restore -c', { stdin: `# a remark\n${RULES}` })).toMatchObject({
      status: 0,
      stderr: '',
    });
    const { stdout } = kernel.run('iptables-save -c');
    const [, head, body, tail] = /^(# Gen.*\n)([\s\S]*)(# Com.*\n)$/.exec(stdout)!;
    expect(head).toMatch(
      /^# Generated by iptables-save v1\.3\.5 on [A-Z]\w\w [A-Z]\w\w [ \d]\d \d\d:\d\d:\d\d \d{4}\n$/,
    );
    expect(body).toBe(RULES);
    expect(tail).toMatch(/^# Completed on /);
    kernel.run('iptables-save > /tmp/rules; iptables -F; iptables -X; iptables-restore < /tmp/rules');
    const without = RULES.replaceAll(/^\[\d+:\d+\] /gm, '').replace('[7:420]', '[0:0]');
    expect(kernel.run('iptables-save').stdout).toContain(without);
  });

  it('take a table whole or not at all', () => {
    const kernel = machine();
    const broken = RULES.replace('--icmp-type 8', '--icmp-type nonsense');
    expect(kernel.run('iptables-restore', { stdin: broken })).toMatchObject({
      status: 2,
      stderr: `iptables-restore v1.3.5: Invalid ICMP type \`nonsense'\n\nError occurred at line: 9\n${HELP.replaceAll('iptables', 'iptables-restore')}`,
    });
    expect(kernel.run('iptables -L').stdout).toBe(EMPTY);
    expect(kernel.run('iptables-restore', { stdin: RULES.replace('COMMIT\n', '') })).toMatchObject({
      status: 1,
      stderr: 'iptables-restore: COMMIT expected at line 12\n',
    });
    expect(kernel.run('iptables-restore', { stdin: RULES.replace(':checked - [0:0]\n', '') }).status).not.toBe(0);
    expect(kernel.run('iptables -L').stdout).toBe(EMPTY);
  });
});
