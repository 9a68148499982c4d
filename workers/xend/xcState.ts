/**
 * The toolstack's hypercalls about what a domain is made of at a moment: its registers, its frames and which of them it has
 * written (libxc's xc_domain_save.c, xc_domain.c and xc_resume.c use them; Xen 3.4).
 */
import {
  XEN_DOMCTL_gethvmcontext,
  XEN_DOMCTL_getpageframeinfo2,
  XEN_DOMCTL_getvcpucontext,
  XEN_DOMCTL_PFINFO_XTAB,
  XEN_DOMCTL_resumedomain,
  XEN_DOMCTL_SHADOW_ENABLE_EXTERNAL,
  XEN_DOMCTL_SHADOW_ENABLE_REFCOUNT,
  XEN_DOMCTL_SHADOW_ENABLE_TRANSLATE,
  XEN_DOMCTL_SHADOW_OP_CLEAN,
  XEN_DOMCTL_SHADOW_OP_ENABLE,
  XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY,
  XEN_DOMCTL_SHADOW_OP_OFF,
  XEN_DOMCTL_SHADOW_OP_PEEK,
  XEN_DOMCTL_sethvmcontext,
  XEN_DOMCTL_setvcpucontext,
  XEN_DOMCTL_shadow_op,
} from '../abi/domctl';
import { HVMOP_get_param, HVMOP_set_param } from '../abi/hvmParams';
import { XENMEM_maximum_gpfn } from '../abi/memory';
import { VCPU_GUEST_CONTEXT_SIZE } from '../abi/vcpu';
import { hypercall } from '../abi/xen';
import { XenError } from '../lib/errno';
import { XcHost } from './xcHost';

/** Offset of the union in xen_domctl. */
const D = 16;

export class XcState extends XcHost {
  /** DOMCTL_shadow_op: page tables of its own, for a domain that has no memory yet. */
  enableTranslation(domid: number): void {
    const mode =
      XEN_DOMCTL_SHADOW_ENABLE_REFCOUNT | XEN_DOMCTL_SHADOW_ENABLE_TRANSLATE | XEN_DOMCTL_SHADOW_ENABLE_EXTERNAL;
    this.domctl(XEN_DOMCTL_shadow_op, domid, (op) => {
      op.u32(D, XEN_DOMCTL_SHADOW_OP_ENABLE);
      op.u32(D + 4, mode);
    });
  }

  /** Log-dirty mode on or off. */
  setDirtyLog(domid: number, isOn: boolean): void {
    this.domctl(XEN_DOMCTL_shadow_op, domid, (op) => {
      op.u32(D, isOn ? XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY : XEN_DOMCTL_SHADOW_OP_OFF);
    });
  }

  /** Which of so many frames were written since the last clean: a bit each, lowest first. */
  dirtyFrames(domid: number, frames: number, clean: boolean): Uint8Array {
    const size = Math.ceil(frames / 8);
    return this.withBuffer(size, (bitmap) => {
      this.domctl(XEN_DOMCTL_shadow_op, domid, (op) => {
        op.u32(D, clean ? XEN_DOMCTL_SHADOW_OP_CLEAN : XEN_DOMCTL_SHADOW_OP_PEEK);
        op.u64(D + 16, BigInt(bitmap.va));
        op.u64(D + 24, BigInt(frames));
      });
      return bitmap.read(0, size).slice();
    });
  }

  /** HVMOP_set_param. */
  setHvmParam(domid: number, index: number, value: number): void {
    this.withBuffer(16, (op) => {
      op.u16(0, domid);
      op.u32(4, index);
      op.u64(8, BigInt(value));
      this.privcmd.hypercall(hypercall.hvm_op, HVMOP_set_param, op.va);
    });
  }

  /** HVMOP_get_param; undefined: the domain is no translated one. */
  hvmParam(domid: number, index: number): number | undefined {
    return this.withBuffer(16, (op) => {
      op.u16(0, domid);
      op.u32(4, index);
      try {
        this.privcmd.hypercall(hypercall.hvm_op, HVMOP_get_param, op.va);
      } catch (error) {
        if (error instanceof XenError && error.code === 'EINVAL') return undefined;
        throw error;
      }
      return Number(op.u64(8));
    });
  }

  /** DOMCTL_getvcpucontext: 2800 bytes. */
  vcpuContext(domid: number, vcpu: number): Uint8Array {
    return this.withBuffer(VCPU_GUEST_CONTEXT_SIZE, (buffer) => {
      this.domctl(XEN_DOMCTL_getvcpucontext, domid, (op) => {
        op.u32(D, vcpu);
        op.u64(D + 8, BigInt(buffer.va));
      });
      return buffer.read(0, VCPU_GUEST_CONTEXT_SIZE).slice();
    });
  }

  /** `context` is a vcpu_guest_context of 2800 bytes; undefined resets the vcpu. */
  setVcpuContext(domid: number, vcpu: number, context: Uint8Array | undefined): void {
    if (!context) {
      this.domctl(XEN_DOMCTL_setvcpucontext, domid, (op) => op.u32(D, vcpu));
      return;
    }
    this.withBuffer(context.length, (buffer) => {
      buffer.write(0, context);
      this.domctl(XEN_DOMCTL_setvcpucontext, domid, (op) => {
        op.u32(D, vcpu);
        op.u64(D + 8, BigInt(buffer.va));
      });
    });
  }

  /** The processor state of a translated domain: records as in abi/hvmSave.ts. */
  setHvmContext(domid: number, context: Uint8Array): void {
    this.withBuffer(context.length, (buffer) => {
      buffer.write(0, context);
      this.domctl(XEN_DOMCTL_sethvmcontext, domid, (op) => {
        op.u32(D, context.length);
        op.u64(D + 8, BigInt(buffer.va));
      });
    });
  }

  hvmContext(domid: number): Uint8Array {
    const ask = (size: number, va: number) =>
      this.domctl(
        XEN_DOMCTL_gethvmcontext,
        domid,
        (op) => {
          op.u32(D, size);
          op.u64(D + 8, BigInt(va));
        },
        (op) => op.u32(D),
      );
    const size = ask(0, 0);
    return this.withBuffer(size, (buffer) => buffer.read(0, ask(size, buffer.va)).slice());
  }

  resumeDomain(domid: number): void {
    this.domctl(XEN_DOMCTL_resumedomain, domid);
  }

  /** XENMEM_maximum_gpfn: the highest guest frame number. */
  maximumGpfn(domid: number): number {
    return this.withBuffer(4, (op) => {
      op.u16(0, domid);
      return this.privcmd.hypercall(hypercall.memory_op, XENMEM_maximum_gpfn, op.va);
    });
  }

  /** DOMCTL_getpageframeinfo2: the type bits of each frame (at most 1024). */
  frameTypes(domid: number, frames: readonly number[]): readonly number[] {
    return this.withBuffer(4 * frames.length, (array) => {
      array.writeWords(frames);
      this.domctl(XEN_DOMCTL_getpageframeinfo2, domid, (op) => {
        op.u64(D, BigInt(frames.length));
        op.u64(D + 8, BigInt(array.va));
      });
      return array.readWords(frames.length).map((word) => (word & XEN_DOMCTL_PFINFO_XTAB) >>> 0);
    });
  }
}
