/** xen_version and vm_assist (xen/common/kernel.c, Xen 3.4). */
import { HYPERVISOR_VIRT_START } from '../../abi/mmu';
import {
  COMPILE_INFO_SIZE,
  compileInfo,
  VMASST_CMD_disable,
  VMASST_CMD_enable,
  VMASST_TYPE_pae_extended_cr3,
  XENFEAT_auto_translated_physmap,
  XENFEAT_gnttab_map_avail_bits,
  XENFEAT_highmem_assist,
  XENFEAT_hvm_callback_vector,
  XENFEAT_hvm_safe_pvclock,
  XENFEAT_mmu_pt_update_preserve_ad,
  XENFEAT_pae_pgdir_above_4gb,
  XENFEAT_supervisor_mode_kernel,
  XENVER_capabilities,
  XENVER_changeset,
  XENVER_compile_info,
  XENVER_extraversion,
  XENVER_get_features,
  XENVER_guest_handle,
  XENVER_pagesize,
  XENVER_platform_parameters,
  XENVER_version,
} from '../../abi/version';
import { PAGE_SIZE } from '../../abi/xen';
import { errno, XenError } from '../../lib/errno';
import {
  XEN_CAPABILITIES,
  XEN_CHANGESET,
  XEN_COMPILE_BY,
  XEN_COMPILE_DATE,
  XEN_COMPILE_DOMAIN,
  XEN_COMPILER,
  XEN_EXTRAVERSION,
  XEN_MAJOR,
  XEN_MINOR,
} from '../build';
import type { Call } from '../hypercalls';

export function xenVersion({ domain }: Call, [command, argument]: readonly number[]): number {
  const { space } = domain;
  const text = (value: string, size: number) => {
    space.write(argument!, textField(value, size));
    return 0;
  };
  switch (command) {
    case XENVER_version:
      return (XEN_MAJOR << 16) | XEN_MINOR;
    case XENVER_extraversion:
      return text(XEN_EXTRAVERSION, 16);
    case XENVER_compile_info: {
      const info = new Uint8Array(COMPILE_INFO_SIZE);
      info.set(textField(XEN_COMPILER, 64), compileInfo.compiler);
      info.set(textField(XEN_COMPILE_BY, 16), compileInfo.compile_by);
      info.set(textField(XEN_COMPILE_DOMAIN, 32), compileInfo.compile_domain);
      info.set(textField(XEN_COMPILE_DATE, 32), compileInfo.compile_date);
      space.write(argument!, info);
      return 0;
    }
    case XENVER_capabilities:
      return text(XEN_CAPABILITIES, 1024);
    case XENVER_changeset:
      return text(XEN_CHANGESET, 64);
    case XENVER_platform_parameters:
      space.putU32(argument!, HYPERVISOR_VIRT_START);
      return 0;
    case XENVER_get_features: {
      if (space.u32(argument!) !== 0) throw new XenError('EINVAL', 'only one word of features');
      space.putU32(argument! + 4, domain.isTranslated ? TRANSLATED_FEATURES : features(domain.vmAssist));
      return 0;
    }
    case XENVER_pagesize:
      if (argument !== 0) throw new XenError('EINVAL', 'pagesize takes no argument');
      return PAGE_SIZE;
    case XENVER_guest_handle:
      space.write(argument!, domain.handle);
      return 0;
    default:
      return -errno.ENOSYS;
  }
}

export function vmAssist({ domain }: Call, [command, type]: readonly number[]): number {
  if (type! > VMASST_TYPE_pae_extended_cr3) throw new XenError('EINVAL', `vm_assist type ${type}`);
  if (command === VMASST_CMD_enable) domain.vmAssist |= 1 << type!;
  else if (command === VMASST_CMD_disable) domain.vmAssist &= ~(1 << type!);
  else return -errno.ENOSYS;
  return 0;
}

/** What kernels look for before they rely on Xen's map, its interrupt vector and its clock. */
const TRANSLATED_FEATURES =
  (1 << XENFEAT_auto_translated_physmap) |
  (1 << XENFEAT_supervisor_mode_kernel) |
  (1 << XENFEAT_hvm_callback_vector) |
  (1 << XENFEAT_hvm_safe_pvclock);

function features(assists: number): number {
  const has4gb = (assists >>> VMASST_TYPE_pae_extended_cr3) & 1;
  return (
    (has4gb << XENFEAT_pae_pgdir_above_4gb) |
    (1 << XENFEAT_mmu_pt_update_preserve_ad) |
    (1 << XENFEAT_highmem_assist) |
    (1 << XENFEAT_gnttab_map_avail_bits)
  );
}

/** NUL-terminated, cut to fit, padded with zeroes. */
function textField(text: string, size: number): Uint8Array {
  const field = new Uint8Array(size);
  field.set(new TextEncoder().encode(text).subarray(0, size - 1));
  return field;
}
