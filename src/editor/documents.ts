/** The open files: their text, what Domain-0 has, and who waits for them. The text widget is only a view of this. */
import { create } from 'zustand';
import type { LabApi } from '../../workers/contract';
import { LabRequestError, messageOf, unwrap } from '../worker/connect';
import { text } from './text';

export interface OpenDocument {
  readonly path: string;
  readonly text: string;
  /** What Domain-0's file held when it was last read or written; undefined for a file that does not exist yet. */
  readonly savedText: string | undefined;
  /** Domain-0's newer text, while the buffer has changes of its own. */
  readonly newerText: string | undefined;
  /** Programs (`vi`) that wait until the file is closed. */
  readonly editIds: readonly number[];
}

export interface DocumentRequest {
  readonly path: string;
  readonly editId?: number;
}

interface Documents {
  readonly documents: readonly OpenDocument[];
  readonly active: string | undefined;
  /** What went wrong last, until the next request succeeds. */
  readonly problem: string | undefined;
  /** Files that something on the page wants open. */
  readonly requests: readonly DocumentRequest[];
  readonly request: (request: DocumentRequest) => void;
  readonly takeRequests: () => readonly DocumentRequest[];
  readonly open: (api: LabApi, request: DocumentRequest) => Promise<void>;
  readonly activate: (path: string) => void;
  readonly edit: (path: string, newText: string) => void;
  /** True when Domain-0 has the text now. */
  readonly save: (api: LabApi, path: string) => Promise<boolean>;
  /** Call when the file was reported as changed: reads it again. */
  readonly refresh: (api: LabApi, path: string) => Promise<void>;
  readonly takeNewer: (path: string) => void;
  readonly keepMine: (path: string) => void;
  readonly close: (api: LabApi, path: string) => void;
  readonly forgetAll: () => void;
}

const largestBytes = 2 * 1024 * 1024;

export function isDirty(document: OpenDocument): boolean {
  return document.text !== (document.savedText ?? '');
}

export const useDocuments = create<Documents>()((set, get) => {
  const find = (path: string) => get().documents.find((document) => document.path === path);
  const change = (path: string, update: (document: OpenDocument) => OpenDocument) =>
    set(({ documents }) => ({
      documents: documents.map((document) => (document.path === path ? update(document) : document)),
    }));

  return {
    documents: [],
    active: undefined,
    problem: undefined,
    requests: [],

    request: (request) => set(({ requests }) => ({ requests: [...requests, request] })),

    takeRequests: () => {
      const { requests } = get();
      if (requests.length > 0) set({ requests: [] });
      return requests;
    },

    open: async (api, { path, editId }) => {
      const waiting = editId === undefined ? [] : [editId];
      if (!find(path)) {
        try {
          const savedText = await readText(api, path);
          // Another request for the same file may have been quicker.
          if (!find(path)) {
            const document = { path, text: savedText ?? '', savedText, newerText: undefined, editIds: [] };
            set(({ documents }) => ({ documents: [...documents, document] }));
          }
        } catch (error) {
          set({ problem: text.failed(path, messageOf(error)) });
          for (const id of waiting) void api.editDone(id); // vi must not wait for a file that cannot be shown
          return;
        }
      }
      change(path, (document) => ({ ...document, editIds: [...document.editIds, ...waiting] }));
      set({ active: path, problem: undefined });
    },

    activate: (path) => set({ active: path }),

    edit: (path, newText) => change(path, (document) => ({ ...document, text: newText })),

    save: async (api, path) => {
      const document = find(path);
      if (!document) return false;
      try {
        unwrap(await api.writeFile(path, new TextEncoder().encode(document.text)));
      } catch (error) {
        set({ problem: text.failed(path, messageOf(error)) });
        return false;
      }
      change(path, (now) => ({ ...now, savedText: document.text, newerText: undefined }));
      set({ problem: undefined });
      return true;
    },

    refresh: async (api, path) => {
      if (!find(path)) return;
      let onDisk: string | undefined;
      try {
        onDisk = await readText(api, path);
      } catch (error) {
        set({ problem: text.failed(path, messageOf(error)) });
        return;
      }
      change(path, (document) => {
        if (onDisk === undefined) return { ...document, savedText: undefined }; // removed: the buffer is what is left
        if (onDisk === document.text) return { ...document, savedText: onDisk, newerText: undefined };
        if (!isDirty(document)) return { ...document, text: onDisk, savedText: onDisk };
        return onDisk === document.savedText ? document : { ...document, newerText: onDisk };
      });
    },

    takeNewer: (path) =>
      change(path, (document) =>
        document.newerText === undefined
          ? document
          : { ...document, text: document.newerText, savedText: document.newerText, newerText: undefined },
      ),

    keepMine: (path) =>
      change(path, (document) => ({
        ...document,
        savedText: document.newerText ?? document.savedText,
        newerText: undefined,
      })),

    close: (api, path) => {
      const { documents, active } = get();
      const index = documents.findIndex((document) => document.path === path);
      if (index < 0) return;
      for (const editId of documents[index]!.editIds) void api.editDone(editId);
      const rest = documents.filter((document) => document.path !== path);
      set({
        documents: rest,
        active: active === path ? rest[Math.min(index, rest.length - 1)]?.path : active,
      });
    },

    forgetAll: () => set({ documents: [], active: undefined, problem: undefined, requests: [] }),
  };
});

/** The file as text; undefined when it does not exist. Rejects when it is no text or too large. */
async function readText(api: LabApi, path: string): Promise<string | undefined> {
  const result = await api.readFile(path);
  if (!result.ok && result.error.code === 'ENOENT') return undefined;
  const bytes = unwrap(result);
  if (bytes.length > largestBytes) throw new LabRequestError('EFBIG', text.tooLarge);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new LabRequestError('EILSEQ', text.notText);
  }
}
