/** Keys inside the strings of device lists (`vif = ['mac=…,bridge=…']`). */

export const deviceKeyText: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  vif: {
    type: 'ioemu: an emulated network card; netfront or nothing: paravirtual only',
    mac: 'hardware address; 00:16:3e and three random bytes when absent',
    bridge: 'bridge in Domain-0 that the backend interface joins',
    ip: 'addresses for the vif script, separated by blanks',
    script: 'script below /etc/xen/scripts that sets the interface up',
    backend: 'domain that serves the interface; Domain-0 when absent',
    vifname: 'name of the backend interface instead of vifD.N',
    rate: 'limit, such as 10Mb/s or 1MB/s@20ms',
    model: 'emulated card of an HVM domain, such as rtl8139, e1000, ne2k_pci, pcnet',
    accel: 'accelerated network driver',
    policy: 'security policy that the label belongs to',
    label: 'security label of the interface',
  },
  vfb: {
    vnc: '1: the framebuffer is served over VNC',
    sdl: '1: the framebuffer opens a window in Domain-0',
    vncdisplay: 'VNC display; the port is 5900 plus this number',
    vnclisten: 'address that the VNC server listens on',
    vncunused: '1: take the first free port',
    vncpasswd: 'password that viewers are asked for',
    videoram: 'size of the framebuffer in MiB',
    display: 'X display for SDL',
    xauthority: 'X authority file for SDL',
    opengl: '1: SDL draws with OpenGL',
    keymap: 'keyboard layout, such as en-us',
    type: 'vnc or sdl: the older way to write vnc=1 or sdl=1',
  },
  vtpm: {
    instance: 'preferred instance number, from 1',
    backend: 'domain that serves the TPM',
  },
  access_control: {
    policy: 'name of the security policy in force',
    label: 'label of the domain in that policy',
  },
};

export const deviceKeys: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(deviceKeyText).map(([list, keys]) => [list, Object.keys(keys)]),
);
