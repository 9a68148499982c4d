import { expect, it } from 'vitest';
import { variables } from './variables';

/** Every variable that xmdomain.cfg(5), the manuals and xm's own table of Xen 3.4 name. */
const documented = `
name builder memory maxmem shadow_memory vcpus vcpu_avail cpu cpus cpu_weight cpu_cap uuid features localtime
rtc_timeoffset on_poweroff on_reboot on_crash restart on_xend_start on_xend_stop bootloader bootargs bootentry blkif
netif tpmif target s3_integrity machine_address_size suppress_spurious_page_faults cpuid cpuid_check
kernel ramdisk loader root extra ip netmask gateway hostname interface dhcp nfs_server nfs_root
device_model boot pae acpi apic hap hpet timer_mode vpt_align viridian xen_platform_pci guest_os_type vhpt isa fda fdb
stdvga videoram sdl vnc vncdisplay vnclisten vncpasswd vncunused vncconsole opengl display xauthority nographic keymap
serial monitor usb usbdevice soundhw pci_msitranslate pci_power_mgmt xen_extended_power_mgmt vncviewer
disk vif vfb vtpm pci vscsi ioports irq access_control nics console cdrom ne2000 enableaudio snapshot
`
  .trim()
  .split(/\s+/);

it('describes every documented variable, once', () => {
  expect(variables.map((variable) => variable.name).sort()).toEqual([...documented].sort());
});

it('has a sentence for each', () => {
  for (const { name, text } of variables) expect(text, name).toMatch(/^[A-Z].{9,}\.$/);
});

it('has defaults that are among the values', () => {
  for (const { name, values, default: preset, isClosed } of variables) {
    if (isClosed && preset) expect(values, name).toContain(preset);
  }
});
