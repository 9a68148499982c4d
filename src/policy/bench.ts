/** The policy that is being written: its text, assertions, what the worker says about them, and what is selected. */
import { create } from 'zustand';
import type { LabApi, PolicyAnalysis, PolicyForm, WhatIf } from '../../workers/contract';
import { messageOf, unwrap } from '../worker/connect';
import { assertionsPath, policyName, sourcePath } from './paths';
import { text, type ViewId } from './text';
import { decodeText } from './textFile';

export interface PolicyBench {
  /** Where it is saved; undefined: nowhere yet. */
  readonly path: string | undefined;
  readonly xml: string;
  /** Counts the policies that were opened here: undo does not lead from one into another. */
  readonly opened: number;
  /** What Domain-0's file holds; undefined: there is none. */
  readonly savedXml: string | undefined;
  /** The text of the policy in force, when the bench began with that. */
  readonly inForceXml: string | undefined;
  readonly assertions: string;
  readonly savedAssertions: string;
  readonly analysis: PolicyAnalysis | undefined;
  /** The text that `analysis` is about. */
  readonly analysedXml: string | undefined;
  /** As it was when the text could last be read. */
  readonly lastForm: PolicyForm | undefined;
  readonly whatIf: WhatIf | undefined;
  readonly view: ViewId;
  /** The label that all views point at. */
  readonly label: string | undefined;
  /** A line of the text to be shown; `count` tells two requests for one line apart. */
  readonly reveal: { readonly line: number; readonly count: number } | undefined;
  /** Number of the decision that is being explained. */
  readonly decision: number | undefined;
  /** What the last action came to. */
  readonly message: { readonly isBad: boolean; readonly text: string } | undefined;

  readonly edit: (xml: string) => void;
  readonly editAssertions: (assertions: string) => void;
  readonly show: (view: ViewId) => void;
  readonly select: (label: string | undefined, line?: number) => void;
  readonly revealLine: (line: number) => void;
  readonly explain: (decision: number) => void;
  readonly say: (message: PolicyBench['message']) => void;
  readonly analysed: (xml: string, analysis: PolicyAnalysis) => void;
  readonly foreseen: (xml: string, whatIf: WhatIf) => void;
  /** A policy of a link, which would take the place of unsaved work: the reader is asked. */
  readonly offered: { readonly xml: string; readonly assertions: string } | undefined;
  /** Replaces everything; `path` undefined: a text from elsewhere. */
  readonly offer: (offered: PolicyBench['offered']) => void;
  readonly replace: (document: { readonly path?: string; readonly xml: string; readonly assertions: string }) => void;
  readonly open: (api: LabApi, path: string) => Promise<void>;
  /** Call when Domain-0's file has changed: takes it over, unless that would lose work. */
  readonly refresh: (api: LabApi) => Promise<void>;
  readonly openInForce: (api: LabApi) => Promise<void>;
  /** True when Domain-0 has it now. */
  readonly save: (api: LabApi) => Promise<boolean>;
  readonly putInForce: (api: LabApi) => Promise<void>;
}

const fresh = {
  path: undefined,
  xml: '',
  savedXml: undefined,
  inForceXml: undefined,
  assertions: '',
  savedAssertions: '',
  analysis: undefined,
  analysedXml: undefined,
  lastForm: undefined,
  whatIf: undefined,
  label: undefined,
  reveal: undefined,
  message: undefined,
  offered: undefined,
};

/** What is shown is what is in force, and nobody has changed it. */
export function isInForce({ xml, inForceXml, path }: PolicyBench): boolean {
  return path === undefined && inForceXml !== undefined && xml === inForceXml;
}

export function isDirty({ xml, savedXml, assertions, savedAssertions }: PolicyBench): boolean {
  return xml !== (savedXml ?? '') || assertions !== savedAssertions;
}

/** Another text in its place would lose work. */
export function holdsUnsaved(bench: PolicyBench): boolean {
  return bench.xml !== '' && isDirty(bench) && !isInForce(bench);
}

export const useBench = create<PolicyBench>()((set, get) => ({
  ...fresh,
  opened: 0,
  view: 'matrix',
  decision: undefined,

  edit: (xml) => set({ xml }),
  editAssertions: (assertions) => set({ assertions }),
  show: (view) => set({ view }),
  select: (label, line) => {
    set({ label });
    if (line) get().revealLine(line);
  },
  revealLine: (line) => set(({ reveal }) => ({ reveal: { line, count: (reveal?.count ?? 0) + 1 } })),
  explain: (decision) => set({ decision, view: 'why' }),
  say: (message) => set({ message }),
  analysed: (xml, analysis) => {
    // An answer about a text that has changed meanwhile: the next one is on its way.
    if (xml === get().xml)
      set(({ lastForm }) => ({ analysis, analysedXml: xml, lastForm: analysis.policy?.form ?? lastForm }));
  },
  foreseen: (xml, whatIf) => {
    if (xml === get().xml) set({ whatIf });
  },

  offer: (offered) => set({ offered }),
  replace: ({ path, xml, assertions }) =>
    set(({ opened }) => ({ ...fresh, path, xml, assertions, opened: opened + 1 })),

  open: async (api, path) => {
    try {
      const xml = await readText(api, path);
      if (xml === undefined) throw new Error(`${path}: No such file or directory`);
      const assertions = (await readText(api, assertionsPath(path))) ?? '';
      const { opened } = get();
      set({ ...fresh, path, xml, savedXml: xml, assertions, savedAssertions: assertions, opened: opened + 1 });
    } catch (error) {
      set({ message: { isBad: true, text: messageOf(error) } });
    }
  },

  refresh: async (api) => {
    const { path, savedXml } = get();
    if (path === undefined) return;
    const result = await api.readFile(path);
    if (!result.ok) return;
    const onDisk = new TextDecoder().decode(result.value);
    if (path !== get().path || onDisk === savedXml || onDisk === get().xml) return;
    if (isDirty(get())) set({ message: { isBad: true, text: text.changedOnDisk(path) } });
    else await get().open(api, path);
  },

  openInForce: async (api) => {
    try {
      const xml = unwrap(await api.policyInForce());
      if (xml === null) return;
      set(({ opened }) => ({ ...fresh, xml, inForceXml: xml, opened: opened + 1 }));
    } catch (error) {
      set({ message: { isBad: true, text: messageOf(error) } });
    }
  },

  save: async (api) => {
    const { xml, assertions, savedAssertions, analysis } = get();
    const path = get().path ?? sourcePath(analysis?.policy?.form.name ?? 'untitled');
    try {
      const write = async (file: string, content: string) =>
        unwrap(await api.writeFile(file, new TextEncoder().encode(content)));
      await write(path, xml);
      if (assertions !== '' || savedAssertions !== '') await write(assertionsPath(path), assertions);
    } catch (error) {
      set({ message: { isBad: true, text: messageOf(error) } });
      return false;
    }
    set({ path, savedXml: xml, savedAssertions: assertions, message: { isBad: false, text: text.saved(path) } });
    return true;
  },

  putInForce: async (api) => {
    if (isDirty(get()) || get().path === undefined) if (!(await get().save(api))) return;
    const { path } = get();
    if (path === undefined) return;
    try {
      const result = unwrap(await api.exec(`xm setpolicy ACM ${policyName(path)}`));
      const output = `${result.stdout}${result.stderr}`.trim();
      const isBad = result.status !== 0;
      set({ message: { isBad, text: isBad ? output : output.slice(0, output.indexOf('\n')) } });
    } catch (error) {
      set({ message: { isBad: true, text: messageOf(error) } });
    }
  },
}));

async function readText(api: LabApi, path: string): Promise<string | undefined> {
  const result = await api.readFile(path);
  if (!result.ok && result.error.code === 'ENOENT') return undefined;
  return decodeText(unwrap(result), path);
}
