/** Numbers of the status bar as text. */
import { text } from './text';

/** `h:mm:ss.t`, the time since switch-on. */
export function formatVirtualTime(ms: number): string {
  const tenths = Math.floor(ms / 100);
  const seconds = Math.floor(tenths / 10);
  const minutes = Math.floor(seconds / 60);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}.${tenths % 10}`;
}

export function formatSpeed(speed: number): string {
  if (speed === 0) return text.status.paused;
  return Number.isFinite(speed) ? `×${speed}` : text.status.max;
}

export function formatLag(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
