/** What the machine knows of policy, labels and channels, collected as plain data; it costs the machine nothing. */

import { channelsOf } from '../acm/acmOp';
import type { FactDomain, HostFacts, UsedDevice } from '../acm/analysis/facts';
import { parseFullLabel } from '../acm/policyUpdate';
import { findResource, type ResourceEntry, ResourceNameError } from '../acm/resourceLabels';
import { sxpText } from '../lib/sxp';
import type { DeviceConfig } from '../xend/domainConfig';
import type { LabelledDomain, SecurityView, XendSecurity } from '../xend/security';
import { isDisk } from '../xend/securityChange';
import type { Host } from './createHost';

const DEFAULT_BRIDGE = 'xenbr0';

/** Undefined: no Xen with ACM runs. */
export function policyFacts(host: Host): HostFacts | undefined {
  const { acm, hypervisor, toolstack } = host;
  if (!acm || !hypervisor) return undefined;
  const view = toolstack?.securityView;
  const resources = view?.security.files.resources() ?? [];
  const channels = channelsOf({ hv: hypervisor });
  const running = acm.state.domains();
  const domains = running.map(({ domid, ssidref }) => factDomain(host, view, resources, domid, ssidref));
  const pairs = (peers: (domid: number) => Iterable<number>) =>
    running.flatMap(({ domid }) => [...new Set(peers(domid))].map((peer) => [domid, peer] as const));
  return {
    policy: view?.security.policy?.policy,
    domains,
    dormant: (view?.domains ?? [])
      .filter(({ domid }) => domid < 0)
      .map(({ name, config }) => ({ name, label: parseFullLabel(config.securityLabel ?? '') })),
    evtchns: pairs((domid) => channels.evtchnPeers(domid)),
    grants: pairs((domid) => channels.grantPeers(domid)),
    resources,
  };
}

function factDomain(
  host: Host,
  view: SecurityView | undefined,
  resources: readonly ResourceEntry[],
  domid: number,
  ssidref: number,
): FactDomain {
  const domain = view?.domains.find((each) => each.domid === domid);
  const name = domain?.name ?? host.toolstack?.peek(`/local/domain/${domid}/name`);
  return {
    domid,
    name: name ?? (domid === 0 ? 'Domain-0' : `domain ${domid}`),
    ssidref,
    label: domain && view ? labelOf(view.security, domain, ssidref) : undefined,
    devices: view && domain ? devicesOf(view.security, domain, resources) : [],
  };
}

/** Domain-0's label is the one that the hypervisor has; xend may have heard of another one last. */
function labelOf(security: XendSecurity, domain: LabelledDomain, ssidref: number) {
  return parseFullLabel(security.labelOf({ ...asLabelled(domain), info: { ssidref } }) ?? '');
}

function asLabelled({ domid, name, powerState, config }: LabelledDomain): LabelledDomain {
  return { domid, name, powerState, config, info: undefined, storeLabel: () => {} };
}

function devicesOf(
  security: XendSecurity,
  { config }: LabelledDomain,
  resources: readonly ResourceEntry[],
): readonly UsedDevice[] {
  return config.devices.flatMap((device): readonly UsedDevice[] => {
    if (isDisk(device)) {
      const uname = sxpText(device.sxp, 'uname') ?? '';
      return uname === '' ? [] : [{ kind: 'disk', name: uname, label: resourceOf(security, resources, uname) }];
    }
    return device.class === 'vif' ? [vifOf(device)] : [];
  });
}

function vifOf(device: DeviceConfig): UsedDevice {
  const label = parseFullLabel(sxpText(device.sxp, 'security_label') ?? '');
  const bridge = sxpText(device.sxp, 'bridge') ?? DEFAULT_BRIDGE;
  return { kind: 'vif', name: `vif ${sxpText(device.sxp, 'mac') ?? ''}`.trim(), label, bridge };
}

function resourceOf(security: XendSecurity, resources: readonly ResourceEntry[], uname: string) {
  try {
    return findResource(resources, uname, security.files.files);
  } catch (error) {
    if (error instanceof ResourceNameError) return undefined;
    throw error;
  }
}
