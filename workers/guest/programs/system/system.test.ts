import { describe, expect, it } from 'vitest';
import { shell } from '../../shell/index';
import { testKernel } from '../../testing';
import { commonPrograms } from '../index';

const programs = [...commonPrograms.filter(({ name }) => name !== shell.name), shell];
const fresh = (options = {}) => testKernel(programs, { hostname: 'vm1', ...options });
/** With init, and the boot scripts run. */
const booted = () => {
  const machine = fresh({ init: true });
  machine.advance(2000);
  return machine;
};

describe('ps', () => {
  it('has the columns of procps', () => {
    const machine = booted();
    expect(machine.run('ps aux').stdout.split('\n').slice(0, 2)).toEqual([
      'USER       PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND',
      expect.stringMatching(/^root {9}1 {2}0\.\d {2}0\.\d {4}\d+ {3}\d+ \? {8}Ss {3}\d\d:\d\d {3}0:00 \/sbin\/init$/),
    ]);
    expect(machine.run('ps -ef').stdout).toMatch(/^UID {8}PID {2}PPID {2}C STIME TTY {10}TIME CMD\nroot {9}1 {5}0 /);
    expect(machine.run('ps ax').stdout).toMatch(/^ {2}PID TTY {6}STAT {3}TIME COMMAND\n/);
    expect(machine.run(['ps', '-p', '1', '-o', 'pid=,comm=']).stdout).toBe('    1 init\n');
  });

  it('ends with 1 when it shows no process', () => {
    expect(fresh().run(['ps', '-p', '99'])).toMatchObject({ status: 1, stdout: '  PID TTY          TIME CMD\n' });
  });
});

describe('kill, killall and pidof', () => {
  it('send signals by number and name', () => {
    const machine = fresh();
    const one = machine.start(['sleep', '100']);
    const two = machine.start(['sleep', '200']);
    machine.advance(10);
    expect(machine.run(['pidof', 'sleep']).stdout).toBe(`${two.pid} ${one.pid}\n`);
    expect(machine.run(['kill', '-9', String(one.pid)]).status).toBe(0);
    expect(one.status).toBe(128 + 9);
    expect(machine.run(['killall', '-HUP', 'sleep']).status).toBe(0);
    expect(two.status).toBe(128 + 1);
    expect(machine.run(['killall', 'sleep'])).toMatchObject({ status: 1, stderr: 'sleep: no process killed\n' });
    expect(machine.run(['kill', '9999'])).toMatchObject({ status: 1, stderr: 'kill 9999: No such process\n' });
  });
});

describe('date and cal', () => {
  it('formats, sets and converts the time in UTC', () => {
    const machine = fresh();
    expect(machine.run(['date', '-u', '-d', '@0']).stdout).toBe('Thu Jan  1 00:00:00 UTC 1970\n');
    expect(machine.run(['date', '-s', '2008-11-03 12:00:00']).stdout).toBe('Mon Nov  3 12:00:00 UTC 2008\n');
    machine.advance(1500);
    expect(machine.run(['date', '+%F %T']).stdout).toBe('2008-11-03 12:00:01\n');
    expect(machine.run(['date', 'nonsense'])).toMatchObject({ status: 1, stderr: "date: invalid date `nonsense'\n" });
    expect(machine.run(['cal', '11', '2008']).stdout).toMatch(
      /^ {3}November 2008\nSu Mo Tu We Th Fr Sa\n {19}1\n 2 {2}3/,
    );
  });
});

describe('service and chkconfig', () => {
  const withService = () => {
    const machine = booted();
    const script = '#!/bin/sh\n# chkconfig: 35 80 20\necho "demo $1 $PATH $SECRET"\n';
    machine.run(['tee', '/etc/init.d/demo'], { stdin: script });
    machine.run(['chmod', '755', '/etc/init.d/demo']);
    return machine;
  };

  it('makes the links that the header of the script asks for', () => {
    const machine = withService();
    expect(machine.run('chkconfig --list demo').stderr).toBe(
      "service demo supports chkconfig, but is not referenced in any runlevel (run 'chkconfig --add demo')\n",
    );
    expect(machine.run('chkconfig --add demo').status).toBe(0);
    expect(machine.run('chkconfig --list demo').stdout).toBe(
      'demo           \t0:off\t1:off\t2:off\t3:on\t4:off\t5:on\t6:off\n',
    );
    expect(machine.run('readlink /etc/rc.d/rc3.d/S80demo /etc/rc.d/rc0.d/K20demo').stdout).toContain('init.d/demo\n');
    machine.run('chkconfig demo off; chkconfig --level 4 demo on');
    expect(machine.run('chkconfig --list demo').stdout).toMatch(/3:off\t4:on\t5:off/);
    expect(machine.run('chkconfig --del demo; ls /etc/rc.d/rc3.d /etc/rc.d/rc4.d').stdout).not.toContain('demo');
    expect(machine.run('chkconfig nope').stderr).toMatch(/error reading information on service nope: No such file/);
  });

  it('runs scripts with a clean environment', () => {
    const machine = withService();
    const env = { PATH: '/bin:/sbin', SECRET: 'x' };
    expect(machine.run('service demo status', { env }).stdout).toBe('demo status /sbin:/usr/sbin:/bin:/usr/bin \n');
    expect(machine.run('service nope start')).toMatchObject({ status: 1, stderr: 'nope: unrecognized service\n' });
  });
});

describe('shutdown, halt and reboot', () => {
  it('lets the stop scripts run before the system ends', () => {
    const machine = booted();
    const script = '#!/bin/sh\necho "stopped $(runlevel)" >/dev/console\n';
    machine.run(['tee', '/etc/rc.d/rc6.d/K01demo'], { stdin: script });
    machine.run(['chmod', '755', '/etc/rc.d/rc6.d/K01demo']);
    expect(machine.run(['runlevel']).stdout).toBe('N 3\n');
    expect(machine.run(['reboot']).status).toBe(0);
    machine.advance(10_000);
    const text = machine.console();
    expect(text).toContain('The system is going down for reboot NOW!');
    expect(text.indexOf('stopped 3 6')).toBeGreaterThan(text.indexOf('Switching to runlevel: 6'));
    expect(machine.shutdownReason).toBe('reboot');
  });

  it('halts at once with -f, and only for root', () => {
    const machine = booted();
    expect(machine.run(['su', 'nobody', '-s', '/bin/sh', '-c', 'halt -f'])).toMatchObject({
      status: 1,
      stderr: 'halt: must be superuser.\n',
    });
    machine.start(['halt', '-f']);
    machine.advance(10);
    expect(machine.shutdownReason).toBe('poweroff');
  });

  it('says so when there is no init to ask', () => {
    expect(fresh().run(['poweroff']).stderr).toBe('poweroff: timeout opening/writing control channel /dev/initctl\n');
  });

  it('counts minutes down, and is cancelled with -c', () => {
    const machine = booted();
    const running = machine.start(['shutdown', '-h', '+2', 'maintenance']);
    machine.advance(90_000);
    expect(machine.console()).toMatch(/maintenance\r+\nThe system is going DOWN for system halt in 1 minute!/);
    expect(machine.run(['shutdown', '-c']).status).toBe(0);
    machine.advance(100_000);
    expect(running.status).toBe(128 + 2);
    expect(machine.shutdownReason).toBeUndefined();
  });
});

describe('sysctl', () => {
  it('reads and sets by dotted name, and tells unknown and read-only keys apart', () => {
    const machine = fresh();
    expect(machine.run(['sysctl', 'kernel.hostname']).stdout).toBe('kernel.hostname = vm1\n');
    expect(machine.run(['sysctl', '-w', 'kernel.hostname=vm2']).stdout).toBe('kernel.hostname = vm2\n');
    expect(machine.run(['hostname']).stdout).toBe('vm2\n');
    expect(machine.run(['sysctl', 'a.b']).stderr).toBe('error: "a.b" is an unknown key\n');
    expect(machine.run(['sysctl', '-w', 'kernel.ostype=x']).stderr).toBe(
      "error: permission denied on key 'kernel.ostype'\n",
    );
  });
});

describe('nice', () => {
  it('gives a nicer process less of a cpu that two want', () => {
    const machine = fresh();
    const first = machine.start(['burn']);
    const second = machine.start(['nice', '-n', '5', 'burn']);
    machine.advance(10_000);
    machine.run(['kill', '-USR1', String(first.pid), String(second.pid)]);
    machine.advance(50);
    // A quantum is a quarter longer for each step: 1.25⁵ ≈ 3.05, rounded up to whole steps of 1 ms.
    const ratio = Number(first.stdout) / Number(second.stdout);
    expect(ratio).toBeGreaterThan(2);
    expect(ratio).toBeLessThan(3.2);
  });

  it('is inherited, and only root may take it back', () => {
    const machine = fresh();
    expect(machine.run(['nice', '-n', '3', 'nice', '-n', '4', 'nice']).stdout).toBe('7\n');
    expect(machine.run(['su', 'nobody', '-s', '/bin/sh', '-c', 'nice -n -1 nice'])).toMatchObject({
      stdout: '0\n',
      stderr: 'nice: cannot set priority: Permission denied\n',
    });
  });
});

describe('stress and time', () => {
  it('keeps as many processors busy as there are workers, for the time given', () => {
    const machine = fresh({ vcpus: 2 });
    const { stdout, status } = machine.run(['stress', '-c', '2', '-t', '3']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/dispatching hogs: 2 cpu, 0 io, 0 vm, 0 hdd\n.*successful run completed in 3s\n$/);
    expect(machine.run(['time', '-p', 'burn', '1']).stderr).toMatch(/^real 1\.00\nuser 1\.00\nsys 0\.00\n$/);
  });
});

describe('logger', () => {
  it('writes lines as syslog does', () => {
    const machine = fresh();
    machine.run(['logger', '-t', 'demo', 'hello', 'there']);
    machine.run(['logger'], { stdin: 'a\nb\n' });
    expect(machine.run(['cat', '/var/log/messages']).stdout).toMatch(
      /^Jan 10 21:20:00 vm1 demo: hello there\nJan 10 21:20:00 vm1 root: a\n.* vm1 root: b\n$/,
    );
  });
});

describe('on a terminal', () => {
  it('stty shows and changes the settings, reset brings them back', () => {
    const session = fresh();
    const run = (line: string) => {
      const terminal = session.session(['/bin/sh', '-c', line]);
      session.advance(100);
      return terminal.screen.replaceAll('\r\n', '\n');
    };
    expect(run('stty; stty size')).toBe('speed 38400 baud; line = 0;\n24 80\n');
    expect(run('stty rows 30 cols 100; stty size')).toBe('30 100\n');
    expect(run('stty -echo; stty')).toBe('speed 38400 baud; line = 0;\n-echo\n');
    expect(run('s=$(stty -g); stty raw; stty $s; stty')).toBe('speed 38400 baud; line = 0;\n');
    expect(run('stty -echo; reset; stty')).toMatch(/speed 38400 baud; line = 0;\n$/);
    expect(run('stty nonsense')).toContain("stty: invalid argument `nonsense'");
  });

  it('top refreshes until q and leaves the terminal as it was', () => {
    const machine = fresh();
    const terminal = machine.session(['/bin/sh', '-c', 'top -d 1; stty']);
    machine.advance(2500);
    expect(terminal.screen.split('Tasks:').length - 1).toBe(3);
    terminal.type('q');
    machine.advance(100);
    expect(terminal.screen).toMatch(/speed 38400 baud; line = 0;\r\n$/);
  });

  it('watch shows the command again and again until Ctrl-C', () => {
    const machine = fresh();
    const terminal = machine.session(['watch', '-n', '1', 'date +%s']);
    machine.advance(2500);
    expect(terminal.screen.split('Every 1.0s: date +%s').length - 1).toBe(3);
    terminal.type('\x03');
    machine.advance(100);
    expect(terminal.isClosed).toBe(true);
  });
});
