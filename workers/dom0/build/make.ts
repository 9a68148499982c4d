/** make: builds what a makefile describes, by commands of the shell. Every target is made anew, once. */
import { expand, MakeError, type Makefile, readMakefile } from './makefile';

export interface MakeWorld {
  readonly cwd: string;
  print(text: string): void;
  eprint(text: string): void;
  read(path: string): string | undefined;
  /** Runs a command line in a directory; its output goes where this program's goes. Resolves with its status. */
  run(command: string, directory: string): Promise<number>;
  readonly isCancelled: boolean;
}

const NAMES = ['GNUmakefile', 'makefile', 'Makefile'];

/** Resolves with the exit status. */
export async function make(args: readonly string[], world: MakeWorld): Promise<number> {
  const given = new Map<string, string>();
  const targets: string[] = [];
  let directory = world.cwd;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const at = arg.indexOf('=');
    if (arg === '-C') directory = absolute(args[++i] ?? '.', world.cwd);
    else if (at > 0) given.set(arg.slice(0, at), arg.slice(at + 1));
    else if (!arg.startsWith('-')) targets.push(arg);
  }
  const name = NAMES.find((each) => world.read(`${directory}/${each}`) !== undefined);
  try {
    if (name === undefined) {
      const what = targets[0] === undefined ? 'No targets specified and no makefile found' : noRule(targets[0]);
      throw new MakeError(`make: *** ${what}.  Stop.`);
    }
    const makefile = readMakefile(`${directory}/${name}`, (path) => world.read(path), given);
    const first = makefile.rules.find(({ target }) => !target.startsWith('.'));
    const made = new Set<string>();
    for (const target of targets.length > 0 ? targets : first ? [first.target] : [])
      await build(target, makefile, directory, world, made, undefined);
    return 0;
  } catch (error) {
    if (!(error instanceof MakeError)) throw error;
    world.eprint(`${error.message.replace(`${directory}/`, '')}\n`);
    return 2;
  }
}

const noRule = (target: string) => `No rule to make target \`${target}'`;

async function build(
  target: string,
  makefile: Makefile,
  directory: string,
  world: MakeWorld,
  made: Set<string>,
  parent: string | undefined,
): Promise<void> {
  if (made.has(target)) return;
  made.add(target);
  const rules = makefile.rules.filter((rule) => rule.target === target);
  if (rules.length === 0) {
    if (world.read(absolute(target, directory)) !== undefined) return;
    throw new MakeError(`make: *** ${noRule(target)}${parent === undefined ? '' : `, needed by \`${parent}'`}.  Stop.`);
  }
  for (const need of rules.flatMap(({ needs }) => needs)) await build(need, makefile, directory, world, made, target);
  for (const command of rules.flatMap(({ commands }) => commands)) {
    const [, flags, text] = /^([@-]*)\s*(.*)$/s.exec(expand(command, makefile.variables))!;
    if (text === '') continue;
    if (!flags!.includes('@')) world.print(`${text}\n`);
    const status = await world.run(text!, directory);
    if (world.isCancelled) throw new MakeError(`make: *** [${target}] Interrupt`);
    if (status !== 0 && !flags!.includes('-')) throw new MakeError(`make: *** [${target}] Error ${status}`);
  }
}

function absolute(path: string, directory: string): string {
  return path.startsWith('/') ? path : `${directory}/${path}`;
}
