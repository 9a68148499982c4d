/** Reading and writing of ezPolicy's files: in Domain-0, and on the computer in front of the screen. */
import type { LabApi } from '../../../workers/contract';
import type { Dialogs } from '../../ui/dialogs';
import { messageOf, unwrap } from '../../worker/connect';
import { download } from '../download';
import { POLICIES, sourcePath } from '../paths';
import { decodeText, readFileText } from '../textFile';
import { isUnsaved, useEzPolicy } from './state';
import { text } from './text';

const HOME = '/root';
const UPLOAD = '\0upload';

export class EzPolicyFiles {
  constructor(
    readonly lab: LabApi,
    private readonly dialogs: Dialogs,
    /** Lets the reader choose a file of his computer. */
    private readonly upload: () => void,
  ) {}

  async #guard(body: () => Promise<void>): Promise<void> {
    try {
      await body();
    } catch (error) {
      await this.dialogs.tell(text.failed, messageOf(error));
    }
  }

  /** Whether nothing would be lost, or may be. */
  async mayDiscard(): Promise<boolean> {
    return !isUnsaved(useEzPolicy.getState()) || (await this.dialogs.askYesNo(text.unsavedTitle, text.unsaved));
  }

  async open(): Promise<void> {
    if (!(await this.mayDiscard())) return;
    const path = await this.dialogs.askText({
      title: text.opening,
      message: '*.wld',
      initial: useEzPolicy.getState().path ?? `${HOME}/myspec.wld`,
      choices: await this.#list(),
      extra: { label: text.fromHere, answer: UPLOAD },
    });
    if (path === UPLOAD) this.upload();
    else if (path !== undefined && path !== '') await this.load(path);
  }

  async #list(): Promise<readonly string[]> {
    const found = await Promise.all(
      [HOME, POLICIES].map(async (directory) => {
        const result = await this.lab.listFiles(directory);
        return result.ok
          ? result.value.flatMap(({ name }) => (name.endsWith('.wld') ? [`${directory}/${name}`] : []))
          : [];
      }),
    );
    return found.flat();
  }

  load(path: string): Promise<void> {
    return this.#guard(async () => {
      const bytes = unwrap(await this.lab.readFile(path));
      await this.#take(decodeText(bytes, path), path, false);
    });
  }

  uploaded(file: File): Promise<void> {
    return this.#guard(async () => this.#take(await readFileText(file), `${HOME}/${file.name}`, true));
  }

  async #take(content: string, path: string, isForeign: boolean): Promise<void> {
    useEzPolicy.getState().opened(unwrap(await this.lab.readWorkload(content)), path, isForeign);
  }

  async save(): Promise<void> {
    const { path, isForeign } = useEzPolicy.getState();
    if (path === undefined || isForeign) await this.saveAs();
    else await this.#write(path);
  }

  async saveAs(): Promise<void> {
    const { path, isForeign } = useEzPolicy.getState();
    const chosen = await this.dialogs.askText({
      title: text.opening,
      message: '*.wld',
      initial: path ?? `${HOME}/myspec.wld`,
    });
    if (chosen === undefined || chosen === '') return;
    if ((chosen !== path || isForeign) && !(await this.#mayOverwrite(chosen))) return;
    await this.#write(chosen);
  }

  async #mayOverwrite(path: string): Promise<boolean> {
    const { ok } = await this.lab.readFile(path);
    return !ok || (await this.dialogs.askYesNo(text.opening, text.overwrite(path)));
  }

  #write(path: string): Promise<void> {
    return this.#guard(async () => {
      const content = unwrap(await this.lab.writeWorkload(useEzPolicy.getState().definition));
      unwrap(await this.lab.writeFile(path, new TextEncoder().encode(content)));
      const { savedTo, say } = useEzPolicy.getState();
      savedTo(path);
      say(text.saved(path));
    });
  }

  downloadFile(): Promise<void> {
    return this.#guard(async () => {
      const { definition, path } = useEzPolicy.getState();
      const content = unwrap(await this.lab.writeWorkload(definition));
      download(path?.slice(path.lastIndexOf('/') + 1) ?? 'myspec.wld', content, 'text/plain');
    });
  }

  /** Answers where the policy is now; undefined: it was not made. */
  async savePolicy(): Promise<string | undefined> {
    const name = await this.dialogs.askText(text.translating);
    if (name === undefined || name === '') return undefined;
    let made: string | undefined;
    await this.#guard(async () => {
      const { definition } = useEzPolicy.getState();
      const { xml, messages } = unwrap(await this.lab.translateWorkload(definition, name));
      const path = await this.dialogs.askText({ title: text.policyFile, message: '*.xml', initial: sourcePath(name) });
      if (path === undefined || path === '' || !(await this.#mayOverwrite(path))) return;
      unwrap(await this.lab.exec(`mkdir -p ${quoted(path.slice(0, path.lastIndexOf('/')) || '/')}`));
      unwrap(await this.lab.writeFile(path, new TextEncoder().encode(xml)));
      useEzPolicy.getState().say([text.translated(path), ...messages].join(' '));
      made = path;
    });
    return made;
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
