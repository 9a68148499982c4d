/** Lengths of time and cables in words. */
import type { LinkState, MigrationSpan } from '../../workers/contract';
import { text } from './text';

export function spanText(span: MigrationSpan | null): string {
  if (!span) return text.facts.notYet;
  const virtual = `${text.milliseconds(span.virtualMs)} ${text.virtual.toLowerCase()}`;
  return span.wallMs === null ? virtual : `${virtual}, ${text.milliseconds(span.wallMs)} ${text.wall.toLowerCase()}`;
}

export function speedText(mbitPerS: number | null): string {
  return mbitPerS === null ? text.link.unlimited : text.link.speedOf(mbitPerS);
}

export function linkText({ mbitPerS, latencyMs }: LinkState): string {
  return `${speedText(mbitPerS)}, ${text.link.latencyOf(latencyMs)}`;
}
