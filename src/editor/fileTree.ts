/** The directories of Domain-0 that are shown: what is expanded, what each holds. */
import { create } from 'zustand';
import type { FileEntry, LabApi } from '../../workers/contract';
import { messageOf, unwrap } from '../worker/connect';

/** Where an administrator of Xen looks. */
export const treeRoots = ['/etc/xen', '/var/log/xen', '/etc/sysconfig', '/etc/init.d', '/root'] as const;

interface FileTreeStore {
  /** Entries of each expanded directory; an error's text when it cannot be read. */
  readonly directories: Readonly<Record<string, readonly FileEntry[] | string>>;
  readonly expand: (api: LabApi, path: string) => Promise<void>;
  readonly collapse: (path: string) => void;
  readonly clear: () => void;
}

export const useFileTree = create<FileTreeStore>()((set) => ({
  directories: {},
  expand: async (api, path) => {
    let entries: readonly FileEntry[] | string;
    try {
      entries = sortEntries(unwrap(await api.listFiles(path)));
    } catch (error) {
      entries = messageOf(error);
    }
    set(({ directories }) => ({ directories: { ...directories, [path]: entries } }));
  },
  collapse: (path) =>
    set(({ directories }) => {
      const { [path]: _collapsed, ...rest } = directories;
      return { directories: rest };
    }),
  clear: () => set({ directories: {} }),
}));

/** Directories first, then names as `ls` orders them. */
export function sortEntries(entries: readonly FileEntry[]): readonly FileEntry[] {
  const rank = (entry: FileEntry) => (entry.kind === 'dir' ? 0 : 1);
  return [...entries].sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

export function joinPath(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}
