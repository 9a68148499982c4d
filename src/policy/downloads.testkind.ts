/** For component tests: what a click gives the reader to keep, as a browser would store it. */
import { vi } from 'vitest';

/** The text of each file that is handed over from now on, by name. jsdom makes no object URLs and follows no link. */
export function watchDownloads(): ReadonlyMap<string, Promise<string>> {
  const blobs = new Map<string, Blob>();
  const files = new Map<string, Promise<string>>();
  URL.createObjectURL = (blob) => {
    const url = `blob:${blobs.size}`;
    blobs.set(url, blob as Blob);
    return url;
  };
  URL.revokeObjectURL = (url) => {
    blobs.delete(url);
  };
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function click(this: HTMLAnchorElement) {
    files.set(this.download, textOf(blobs.get(this.href)!));
  });
  return files;
}

/** jsdom's blobs have no `text`. */
function textOf(blob: Blob): Promise<string> {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.readAsText(blob);
  });
}
