import { describe, expect, it } from 'vitest';
import { netStackFactory } from '../../net/netStackFactory';
import { shell } from '../../shell/index';
import { testKernel } from '../../testing';
import { netPrograms } from './index';

function machine() {
  const kernel = testKernel([...netPrograms, shell], {
    net: netStackFactory({ pairs: [['veth0', '00:16:3e:00:00:01', 'vif0.0', 'fe:ff:ff:ff:ff:ff']] }),
  });
  kernel.run('ifconfig lo 127.0.0.1 up');
  return kernel;
}

describe('ping', () => {
  it('prints a line for each answer and the summary', () => {
    const { stdout, status } = machine().run('ping -c2 127.0.0.1');
    expect(status).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('PING 127.0.0.1 (127.0.0.1) 56(84) bytes of data.');
    expect(lines[1]).toMatch(/^64 bytes from 127\.0\.0\.1: icmp_seq=1 ttl=64 time=0\.0\d\d ms$/);
    expect(lines[4]).toBe('--- 127.0.0.1 ping statistics ---');
    expect(lines[5]).toMatch(/^2 packets transmitted, 2 received, 0% packet loss, time 10\d\dms$/);
    expect(lines[6]).toMatch(/^rtt min\/avg\/max\/mdev = /);
  });

  it('knows no such host, and no way to another network', () => {
    const kernel = machine();
    expect(kernel.run('ping -c1 nowhere')).toMatchObject({ status: 2, stderr: 'ping: unknown host nowhere\n' });
    const away = kernel.run('ping -c1 198.51.100.1');
    expect(away.stderr).toBe('connect: Network is unreachable\n');
    expect(away.status).not.toBe(0);
  });

  it('reports a host that does not answer ARP', () => {
    const kernel = machine();
    kernel.run('ifconfig veth0 192.0.2.1 netmask 255.255.255.0 up; ifconfig vif0.0 up');
    const { stdout, status } = kernel.run('ping -c1 192.0.2.7');
    expect(status).toBe(1);
    expect(stdout).toContain('From 192.0.2.1 icmp_seq=1 Destination Host Unreachable\n');
    expect(stdout).toContain('1 packets transmitted, 0 received, +1 errors, 100% packet loss');
  });
});

describe('ifconfig', () => {
  it('shows an interface as net-tools does', () => {
    const kernel = machine();
    kernel.run('ifconfig veth0 192.0.2.9 netmask 255.255.255.0 up');
    expect(kernel.run('ifconfig veth0').stdout).toBe(
      `veth0     Link encap:Ethernet  HWaddr 00:16:3E:00:00:01  
          inet addr:192.0.2.9  Bcast:192.0.2.255  Mask:255.255.255.0
          UP BROADCAST MULTICAST  MTU:1500  Metric:1
          RX packets:0 errors:0 dropped:0 overruns:0 frame:0
          TX packets:0 errors:0 dropped:1 overruns:0 carrier:0
          collisions:0 txqueuelen:1000 
          RX bytes:0 (0.0 b)  TX bytes:0 (0.0 b)

`,
    );
    expect(kernel.run('ifconfig nope')).toMatchObject({
      status: 1,
      stderr: 'nope: error fetching interface information: Device not found\n',
    });
  });
});

describe('ip and route', () => {
  it('set and show addresses and routes in the same tables', () => {
    const kernel = machine();
    kernel.run('ip addr add 192.0.2.9/24 dev veth0; ip link set veth0 up; ip link set vif0.0 up');
    expect(kernel.run('ip -o -4 addr show dev veth0').stdout).toBe(
      '2: veth0    inet 192.0.2.9/24 brd 192.0.2.255 scope global veth0\n',
    );
    expect(kernel.run('route add default gw 192.0.2.1').status).toBe(0);
    expect(kernel.run('ip route list').stdout).toBe(
      '192.0.2.0/24 dev veth0  proto kernel  scope link  src 192.0.2.9 \ndefault via 192.0.2.1 dev veth0 \n',
    );
    expect(kernel.run('route -n').stdout.split('\n')[2]).toBe(
      '192.0.2.0       0.0.0.0         255.255.255.0   U     0      0        0 veth0',
    );
    expect(kernel.run('route add default gw 203.0.113.1').stderr).toBe('SIOCADDRT: Network is unreachable\n');
    expect(kernel.run('ip link set dev nope up').status).toBe(1);
  });

  it('rename an interface only while it is down', () => {
    const kernel = machine();
    kernel.run('ip link set veth0 up');
    expect(kernel.run('ip link set veth0 name eth0').stderr).toContain('busy');
    expect(kernel.run('ip link set veth0 down; ip link set veth0 name eth0; ip link show dev eth0').stdout).toContain(
      'eth0: <',
    );
  });
});

describe('brctl', () => {
  it('makes, fills, shows and removes bridges', () => {
    const kernel = machine();
    kernel.run('brctl addbr xenbr0; brctl addif xenbr0 vif0.0; brctl addif xenbr0 veth0; ifconfig xenbr0 up');
    expect(kernel.run('brctl show').stdout).toBe(
      'bridge name\tbridge id\t\tSTP enabled\tinterfaces\nxenbr0\t\t8000.00163e000001\tno\t\tveth0\n\t\t\t\t\t\t\tvif0.0\n',
    );
    expect(kernel.run('brctl delbr xenbr0').stderr).toBe("bridge xenbr0 is still up; can't delete it\n");
    expect(kernel.run('brctl addif nope veth0').stderr).toBe('bridge nope does not exist!\n');
    expect(kernel.run('ifconfig xenbr0 down; brctl delbr xenbr0; brctl show').stdout).toBe(
      'bridge name\tbridge id\t\tSTP enabled\tinterfaces\n',
    );
  });
});

describe('nc and wget', () => {
  it('carry what is typed on one side to the other', () => {
    const kernel = machine();
    const server = kernel.start('nc -l -p 5000 > /tmp/got');
    kernel.advance(100);
    expect(kernel.run(['nc', '127.0.0.1', '5000'], { stdin: 'hello\n' }).status).toBe(0);
    kernel.advance(100);
    expect(server.status).toBe(0);
    expect(new TextDecoder().decode(kernel.kernel.readFile('/tmp/got'))).toBe('hello\n');
  });

  it('say why a connection failed', () => {
    expect(machine().run('nc -v 127.0.0.1 9').stderr).toContain('127.0.0.1 9 : Connection refused');
    expect(machine().run('wget http://127.0.0.1/x').stderr).toContain('failed: Connection refused.');
  });

  it('fetch a document', () => {
    const kernel = machine();
    kernel.start(['nc', '-l', '-p', '80'], { stdin: 'HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n' });
    kernel.advance(100);
    expect(kernel.run('wget -q -O - http://127.0.0.1/index.html')).toMatchObject({ status: 0, stdout: 'hello\n' });
  });
});

describe('/proc/net', () => {
  it('counts what the interfaces carried, and has the switch for forwarding', () => {
    const kernel = machine();
    kernel.run('ping -c1 127.0.0.1');
    const text = (path: string) => new TextDecoder().decode(kernel.kernel.readFile(path));
    expect(text('/proc/net/dev')).toMatch(/^ +lo: +196 +2 /m);
    expect(text('/proc/sys/net/ipv4/ip_forward')).toBe('0\n');
    kernel.run('echo 1 > /proc/sys/net/ipv4/ip_forward');
    expect(text('/proc/sys/net/ipv4/ip_forward')).toBe('1\n');
  });
});

describe('hping2', () => {
  it('probes by ICMP and SYN', () => {
    const kernel = machine();
    const icmp = kernel.run('hping2 -1 -c 2 -d 100 127.0.0.1');
    expect(icmp.stdout).toMatch(/len=128 ip=127\.0\.0\.1 ttl=64 icmp_seq=0 rtt=\d\.\d ms/);
    expect(icmp.stderr).toContain('2 packets tramitted, 2 packets received, 0% packet loss');
    expect(kernel.run('hping2 -S -p 81 -c 1 127.0.0.1').stdout).toContain('flags=RA');
  });
});
