import { describe, expect, it } from 'vitest';
import { shell } from '../../shell/index';
import { testKernel } from '../../testing';
import { commonPrograms } from '../index';

const programs = [...commonPrograms.filter(({ name }) => name !== shell.name), shell];
const fresh = () => testKernel(programs, { hostname: 'vm1' });
const withAlice = () => {
  const machine = fresh();
  machine.run('useradd -c "Alice A" alice');
  machine.run(['passwd', '--stdin', 'alice'], { stdin: 'secret1\n' });
  return machine;
};

describe('useradd and userdel', () => {
  it('make and remove a user with a group and a home directory', () => {
    const machine = fresh();
    machine.run('mkdir -p /etc/skel/bin; echo hi >/etc/skel/.profile');
    expect(machine.run('useradd -c "Alice A" alice')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(machine.run('tail -1 /etc/passwd; tail -1 /etc/group').stdout).toBe(
      'alice:!!:500:500:Alice A:/home/alice:/bin/bash\nalice:x:500:\n',
    );
    expect(machine.run('stat -c "%U %G %a" /home/alice /home/alice/.profile').stdout).toBe(
      'alice alice 700\nalice alice 644\n',
    );
    machine.run('groupadd -g 700 wheel; useradd -G wheel,users -g 100 bob');
    expect(machine.run('id bob').stdout).toBe('uid=501(bob) gid=100(users) groups=100(users),700(wheel)\n');
    expect(machine.run('userdel -r alice; grep -c alice /etc/passwd /etc/group; ls /home').stdout).toBe(
      '/etc/passwd:0\n/etc/group:0\nbob\n',
    );
  });

  it('refuse what is there already, what is not there, and everybody but root', () => {
    const machine = withAlice();
    expect(machine.run('useradd alice')).toMatchObject({ status: 9, stderr: 'useradd: user alice exists\n' });
    expect(machine.run('useradd -u 500 bob')).toMatchObject({ status: 4, stderr: 'useradd: UID 500 is not unique\n' });
    expect(machine.run('useradd -g nope bob')).toMatchObject({ status: 6, stderr: 'useradd: unknown group nope\n' });
    expect(machine.run('groupadd alice')).toMatchObject({ status: 9, stderr: 'groupadd: group alice exists\n' });
    expect(machine.run('userdel bob')).toMatchObject({ status: 6, stderr: 'userdel: user bob does not exist\n' });
    expect(machine.run("su alice -c 'useradd bob'").stderr).toBe('useradd: unable to lock password file\n');
  });
});

describe('su', () => {
  it('gives root another identity without a question, with - also the environment of a login', () => {
    const machine = withAlice();
    expect(machine.run("su alice -c 'id -un; pwd; echo $HOME'").stdout).toBe('alice\n/\n/home/alice\n');
    expect(machine.run("su - alice -c 'pwd; echo $USER'").stdout).toBe('/home/alice\nalice\n');
    expect(machine.run('su nope').stderr).toBe('su: user nope does not exist\n');
  });

  it('asks others for the password, without echo', () => {
    const machine = withAlice();
    machine.run('useradd bob');
    const terminal = machine.session(['su', 'bob', '-c', 'su alice -c whoami']);
    machine.advance(100);
    expect(terminal.screen).toBe('Password: ');
    terminal.type('secret1\r');
    machine.advance(100);
    expect(terminal.screen).toBe('Password: \r\nalice\r\n');
  });

  it('refuses a wrong password after a while', () => {
    const machine = withAlice();
    const before = machine.clock.nowNs;
    const refused = machine.run(['su', 'nobody', '-s', '/bin/sh', '-c', 'su alice -c id'], { stdin: 'wrong\n' });
    expect(refused).toMatchObject({ status: 1, stdout: '', stderr: 'Password: su: incorrect password\n' });
    expect(machine.clock.nowNs - before).toBeGreaterThan(2e9);
  });
});

describe('passwd', () => {
  it('changes a password twice typed; a user must know the old one', () => {
    const machine = withAlice();
    const change = (stdin: string) => machine.run(['su', 'alice', '-c', 'passwd'], { stdin });
    expect(change('wrong\n')).toMatchObject({
      status: 1,
      stderr: '(current) UNIX password: passwd: Authentication token manipulation error\n',
    });
    expect(change('secret1\nbetter22\nbetter22\n').stdout).toBe(
      'Changing password for user alice.\nChanging password for alice\npasswd: all authentication tokens updated successfully.\n',
    );
    expect(change('better22\nsecret1\nsecret2\n').stderr).toContain('Sorry, passwords do not match.\n');
    expect(machine.run(['su', 'alice', '-c', 'passwd bob']).stderr).toBe(
      'passwd: Only root can specify a user name.\n',
    );
  });

  it('locks, unlocks and removes', () => {
    const machine = withAlice();
    expect(machine.run('passwd -l alice').stdout).toBe('Locking password for user alice.\npasswd: Success\n');
    expect(machine.run('passwd -S alice').stdout).toBe('alice LK (Password locked.)\n');
    machine.run('passwd -u alice');
    expect(machine.run('passwd -S alice').stdout).toMatch(/^alice PS /);
    machine.run('passwd -d alice');
    expect(machine.run('passwd -S alice').stdout).toBe('alice NP (Empty password.)\n');
  });

  it('keeps passwords in /etc/shadow when there is one', () => {
    const machine = fresh();
    machine.run('echo "root:*:14000:0:99999:7:::" >/etc/shadow; useradd alice');
    machine.run(['passwd', '--stdin', 'alice'], { stdin: 'secret1\n' });
    expect(machine.run('grep alice /etc/passwd').stdout).toBe('alice:x:500:500::/home/alice:/bin/bash\n');
    expect(machine.run('grep alice /etc/shadow').stdout).toMatch(/^alice:\$5x\$[^:]+:13888:0:99999:7:::\n$/);
    expect(machine.run('stat -c %a /etc/shadow /etc/passwd').stdout).toBe('400\n644\n');
  });
});
