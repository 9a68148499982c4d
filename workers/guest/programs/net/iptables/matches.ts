/** The matches that there are. */
import type { Extension } from './extension';
import { icmp } from './icmpMatch';
import { physdev, state } from './otherMatches';
import { tcp, udp } from './portMatches';

// biome-ignore lint/suspicious/noExplicitAny: a registry holds matches of every kind
export const matches: readonly Extension<any>[] = [icmp, physdev, state, tcp, udp];
