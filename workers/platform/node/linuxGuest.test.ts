import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BootedHost, bootedHost } from './testing';

const PROMPT = /linux:\S*# (\x1b\[6n)?$/;

/** The console of domain `linux`: everything it prints, and a way to type into it. */
class LinuxConsole {
  output = '';
  #tty = '';

  constructor(readonly booted: BootedHost) {}

  async attach(): Promise<void> {
    const decoder = new TextDecoder();
    const add = (bytes: Uint8Array) => {
      this.output += decoder.decode(bytes, { stream: true });
    };
    this.#tty = (await this.booted.exec('xenstore-read /local/domain/1/console/tty')).output.trim();
    void this.booted.host.run('xm console linux', 3_600_000, { stdout: add, stderr: add });
    await this.prompt();
  }

  async prompt(): Promise<void> {
    for (let tries = 0; tries < 100 && !PROMPT.test(this.output); tries++) await this.booted.advance(100);
    expect(this.output).toMatch(PROMPT);
  }

  /** What a command printed. */
  async run(command: string): Promise<string> {
    this.output = '';
    await this.booted.exec(`echo '${command}' > ${this.#tty}`);
    await this.prompt();
    return this.output.replaceAll('\r', '');
  }
}

describe('an unmodified Linux kernel', () => {
  let booted: BootedHost;
  let linux: LinuxConsole;
  beforeAll(async () => {
    booted = await bootedHost({});
    linux = new LinuxConsole(booted);
  });
  afterAll(() => booted.close());

  it('boots from its PVH note to a shell on hvc0, its root file system on xvda', async () => {
    const created = await booted.exec('xm create /etc/xen/linux');
    expect(created.output).toContain('Started domain linux (id=1)');
    await linux.attach();
    expect(await linux.run('cat /sys/hypervisor/type; mount; dmesg')).toMatch(
      /xen\n(.|\n)*\/dev\/xvda on \/ type ext4 \(rw(.|\n)*Hypervisor detected: Xen HVM/,
    );
    expect(booted.bugs).toEqual([]);
  }, 120_000);

  it('has an address from the network and reaches its gateway', async () => {
    // The DHCP client works beside the shell.
    await linux.run('until ip addr show eth0 | grep -q "inet "; do sleep 1; done');
    expect(await linux.run('ip addr show eth0')).toMatch(/inet 192\.0\.2\.\d+\/24/);
    expect(await linux.run('ping -c 2 192.0.2.1')).toContain('2 packets received, 0% packet loss');
  }, 120_000);

  it('sleeps without using its processor', async () => {
    const time = async () => Number(/^linux\s.*\s(\d+\.\d)$/m.exec((await booted.exec('xm list')).output)![1]);
    const before = await time();
    await booted.advance(5_000);
    expect((await time()) - before).toBeLessThan(0.2);
  }, 120_000);

  it('writes to its disk, is shut down by xm shutdown, and the file is there', async () => {
    await linux.run('echo kept > /root/f; sync');
    const { status } = await booted.exec('xm shutdown -w linux', 60_000);
    expect(status).toBe(0);
    expect((await booted.exec('xm list')).output).not.toContain('linux');
    const read = await booted.exec(
      'mkdir /mnt/linux; losetup /dev/loop5 /home/xen/linux.img; mount -t ext2 -o ro /dev/loop5 /mnt/linux; cat /mnt/linux/root/f; umount /mnt/linux',
    );
    expect(read.output).toBe('kept\n');
    expect(booted.bugs).toEqual([]);
  }, 120_000);
});
