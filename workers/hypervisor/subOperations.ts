/**
 * The sub-operations of hypercalls that have such: number, name, and how much of each there is.
 *
 * Names and numbers: xen/include/public/{memory,version,sched,vcpu,event_channel,grant_table,physdev,callback,nmi}.h and
 * hvm/hvm_op.h. One that is not named here, or whose support is `none`, is answered ENOSYS.
 */
import type { hypercall } from '../abi/xen';

/** `full`, `partial: <what is missing>` or `none` (ENOSYS). */
export type Support = 'full' | 'none' | `partial: ${string}`;

export interface SubOperation {
  readonly number: number;
  readonly name: string;
  readonly support: Support;
}

type Names = Readonly<Record<string, Support>>;

/** Numbered from `first` in the order of the names; `_` marks a number that is not used. */
function numbered(names: Names, first = 0): readonly SubOperation[] {
  return Object.entries(names)
    .map(([name, support], i) => ({ number: first + i, name, support }))
    .filter(({ name }) => !name.startsWith('_'));
}

const NO_INTERRUPTS = 'partial: no domain has a physical interrupt';
const NO_ENTRIES = 'partial: no maps through page-table entries';
const NO_TABLES = 'partial: recorded, page tables and segments are not modelled';
const RECORDED = 'partial: recorded for save';

export const subOperations: Partial<Readonly<Record<keyof typeof hypercall, readonly SubOperation[]>>> = {
  sched_op_compat: numbered({ yield: 'full', block: 'full', shutdown: 'full' }),
  memory_op: numbered({
    increase_reservation: 'full',
    decrease_reservation: 'full',
    maximum_ram_page: 'full',
    current_reservation: 'full',
    maximum_reservation: 'full',
    machphys_mfn_list: 'none',
    populate_physmap: 'partial: no populate-on-demand',
    add_to_physmap: 'full',
    _translate_gpfn_list: 'none',
    memory_map: 'full',
    machine_memory_map: 'full',
    exchange: 'full',
    machphys_mapping: 'none',
    set_memory_map: 'full',
    maximum_gpfn: 'full',
    _: 'none',
    set_pod_target: 'none',
    get_pod_target: 'none',
  }),
  xen_version: numbered({
    version: 'full',
    extraversion: 'full',
    compile_info: 'full',
    capabilities: 'full',
    changeset: 'full',
    platform_parameters: 'full',
    get_features: 'full',
    pagesize: 'full',
    guest_handle: 'full',
  }),
  console_io: numbered({ write: 'full', read: 'full' }),
  grant_table_op: numbered({
    map_grant_ref: NO_ENTRIES,
    unmap_grant_ref: NO_ENTRIES,
    setup_table: 'full',
    dump_table: 'none',
    transfer: 'full',
    copy: 'full',
    query_size: 'full',
    unmap_and_replace: 'none',
    set_version: 'none',
    get_status_frames: 'none',
    get_version: 'none',
  }),
  vm_assist: numbered({ enable: NO_TABLES, disable: NO_TABLES }),
  vcpu_op: numbered({
    initialise: 'full',
    up: 'full',
    down: 'full',
    is_up: 'full',
    get_runstate_info: 'full',
    register_runstate_memory_area: 'full',
    set_periodic_timer: 'full',
    stop_periodic_timer: 'full',
    set_singleshot_timer: 'full',
    stop_singleshot_timer: 'full',
    register_vcpu_info: 'full',
    send_nmi: 'none',
    get_physid: 'full',
  }),
  nmi_op: numbered({ register_callback: 'none', unregister_callback: 'none' }),
  sched_op: numbered({ yield: 'full', block: 'full', shutdown: 'full', poll: 'full', remote_shutdown: 'full' }),
  callback_op: numbered({ register: RECORDED, unregister: 'none' }),
  event_channel_op: numbered({
    bind_interdomain: 'full',
    bind_virq: 'full',
    bind_pirq: NO_INTERRUPTS,
    close: 'full',
    send: 'full',
    status: 'full',
    alloc_unbound: 'full',
    bind_ipi: 'full',
    bind_vcpu: 'full',
    unmask: 'full',
    reset: 'full',
    init_control: 'none',
    expand_array: 'none',
    set_priority: 'none',
  }),
  physdev_op: numbered(
    {
      irq_status_query: NO_INTERRUPTS,
      set_iopl: 'partial: there are no ports to reach',
      set_iobitmap: 'none',
      apic_read: 'none',
      apic_write: 'none',
      alloc_irq_vector: 'none',
      free_irq_vector: 'none',
      eoi: NO_INTERRUPTS,
      map_pirq: 'none',
      unmap_pirq: 'none',
    },
    5,
  ),
  hvm_op: numbered({
    set_param: 'partial: events by vector only',
    get_param: 'full',
    set_pci_intx_level: 'none',
    set_isa_irq_level: 'none',
    set_pci_link_route: 'none',
    flush_tlbs: 'none',
    track_dirty_vram: 'none',
    modified_memory: 'none',
    set_mem_type: 'none',
    pagetable_dying: 'none',
  }),
};
