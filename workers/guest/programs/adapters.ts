/** Two ways to write a program without thinking of steps: commands that never wait, and filters over files or standard input. */
import { again, exit, type Program, type Step, type Sys, SysError, wait } from '../sys';

type Status = number | undefined | void;
type Enough = boolean | undefined | void;

/** A program that does all of its work at once. The result is its status; nothing is 0. `args` are without argv[0]. */
export function command(name: string, run: (sys: Sys, args: readonly string[]) => Status): Program<null> {
  return {
    name,
    start: () => null,
    step: (sys) => exit(run(sys, sys.argv.slice(1)) ?? 0),
  };
}

/** What a filter does with the files named as its arguments, or with its standard input. S is plain data. */
export interface Filter<S> {
  /** From the arguments to the files (`-` is standard input, none is standard input alone); a number is a status to end with. */
  parse(sys: Sys, args: readonly string[]): { readonly files: readonly string[]; readonly state: S } | number;
  fileStart?(sys: Sys, state: S, file: string, index: number, count: number): void;
  /** One line without its end; `isTerminated` is false for a last line without newline. True: no more of this file. */
  line?(sys: Sys, state: S, line: string, isTerminated: boolean): Enough;
  /** Instead of `line`: the bytes as they come. True: no more of this file. */
  bytes?(sys: Sys, state: S, bytes: Uint8Array): Enough;
  fileEnd?(sys: Sys, state: S, file: string, index: number, count: number): void;
  /** After the last file: the status (otherwise 0, or `failStatus` when a file could not be read, as `status` says). */
  end?(sys: Sys, state: S, status: number): Status;
  /** Status after a file that could not be read; 1 when absent. */
  readonly failStatus?: number;
  /** Files that cannot be read are not reported (grep -s). */
  isQuiet?(state: S): boolean;
  /** True once nothing more needs to be read at all (head, grep -q). */
  isDone?(state: S): boolean;
}

interface FilterState<S> {
  status: number;
  files: readonly string[];
  index: number;
  /** Descriptor of the file that is being read; −1 between files. */
  fd: number;
  /** Bytes of a line whose end has not come yet. */
  carry: Uint8Array[];
  own: S;
  isOver: boolean;
}

/** A program that reads its input piece by piece, waits when there is none yet, and reports files it cannot open. */
export function filter<S>(name: string, definition: Filter<S>): Program<FilterState<S>> {
  return {
    name,
    start(sys) {
      const parsed = definition.parse(sys, sys.argv.slice(1));
      const isStatus = typeof parsed === 'number';
      return {
        status: isStatus ? parsed : 0,
        files: isStatus ? [] : parsed.files.length === 0 ? ['-'] : parsed.files,
        index: 0,
        fd: -1,
        carry: [],
        own: isStatus ? (null as S) : parsed.state,
        isOver: isStatus,
      };
    },
    step: (sys, state) => filterStep(name, definition, sys, state),
  };
}

function filterStep<S>(name: string, definition: Filter<S>, sys: Sys, state: FilterState<S>): Step {
  if (state.isOver) return exit(state.status);
  if (state.index >= state.files.length || definition.isDone?.(state.own))
    return exit(definition.end?.(sys, state.own, state.status) ?? state.status);
  const file = state.files[state.index]!;
  try {
    if (state.fd < 0) {
      state.fd = file === '-' ? 0 : sys.open(file, { read: true });
      definition.fileStart?.(sys, state.own, file, state.index, state.files.length);
    }
    const bytes = sys.read(state.fd);
    if (!bytes) return wait({ readable: state.fd });
    const isEnd = bytes.length === 0;
    const isEnough = definition.bytes
      ? !isEnd && definition.bytes(sys, state.own, bytes) === true
      : takeLines(definition, sys, state, bytes);
    if (!isEnd && !isEnough) return again();
    definition.fileEnd?.(sys, state.own, file, state.index, state.files.length);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    const text = error.subject ? error.message : `${file}: ${error.message}`;
    if (!definition.isQuiet?.(state.own)) sys.eprint(`${name}: ${text}\n`);
    state.status = definition.failStatus ?? 1;
  }
  if (state.fd > 0) sys.close(state.fd);
  state.fd = -1;
  state.carry = [];
  state.index++;
  return again();
}

const decoder = new TextDecoder();

/** Hands over the complete lines in `bytes`; the rest waits in `carry`. At the end of the file the rest is a line too. */
function takeLines<S>(definition: Filter<S>, sys: Sys, state: FilterState<S>, bytes: Uint8Array): boolean {
  if (bytes.length === 0) {
    if (state.carry.length === 0) return true;
    return definition.line?.(sys, state.own, textOf(state.carry.splice(0)), false) === true;
  }
  let from = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
    state.carry.push(bytes.subarray(from, end));
    from = end + 1;
    if (definition.line?.(sys, state.own, textOf(state.carry.splice(0)), true) === true) return true;
  }
  if (from < bytes.length) state.carry.push(bytes.slice(from));
  return false;
}

function textOf(chunks: readonly Uint8Array[]): string {
  if (chunks.length === 1) return decoder.decode(chunks[0]!);
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return decoder.decode(whole);
}
