/** Makefiles, as far as the tree in /usr/src/xen needs them: variables, conditions, includes, rules (GNU make 3.81). */

export interface Rule {
  readonly target: string;
  readonly needs: readonly string[];
  /** Commands with `$(NAME)` still in them. */
  readonly commands: readonly string[];
}

export interface Makefile {
  readonly variables: ReadonlyMap<string, string>;
  /** The first is what is made when nothing is asked for. */
  readonly rules: readonly Rule[];
}

/** The text is what make prints before it stops. */
export class MakeError extends Error {
  override readonly name = 'MakeError';
}

type MutableRule = { target: string; needs: readonly string[]; commands: string[] };

/**
 * Reads a makefile and what it includes. `given`: variables of the command line, which win. Throws MakeError.
 */
export function readMakefile(
  path: string,
  read: (path: string) => string | undefined,
  given: ReadonlyMap<string, string>,
): Makefile {
  const variables = new Map(given);
  const rules: MutableRule[] = [];
  readInto(path, read, given, variables, rules, 0);
  return { variables, rules };
}

function readInto(
  path: string,
  read: (path: string) => string | undefined,
  given: ReadonlyMap<string, string>,
  variables: Map<string, string>,
  rules: MutableRule[],
  depth: number,
): void {
  const text = read(path);
  if (text === undefined) throw new MakeError(`${path}: No such file or directory`);
  if (depth > 8) throw new MakeError(`${path}: files include each other`);
  /** One per open condition: whether its lines count. */
  const conditions: boolean[] = [];
  let rule: MutableRule | undefined;
  for (const { line, number } of logicalLines(text)) {
    const stop = (why: string) => new MakeError(`${path}:${number}: *** ${why}.  Stop.`);
    const isOn = conditions.every(Boolean);
    const bare = line.replace(/(^|[^\\])#.*$/, '$1').trim();
    const condition = /^(ifn?eq)\s*\((.*),(.*)\)$/.exec(bare);
    if (condition) {
      const [, word, left, right] = condition;
      const isEqual = expand(left!, variables).trim() === expand(right!, variables).trim();
      conditions.push((word === 'ifeq') === isEqual);
    } else if (/^(else|endif)$/.test(bare)) {
      const last = conditions.pop();
      if (last === undefined) throw stop(`extraneous \`${bare}'`);
      if (bare === 'else') conditions.push(!last);
    } else if (!isOn || bare === '') continue;
    else if (line.startsWith('\t')) {
      if (!rule) throw stop('commands commence before first target');
      rule.commands.push(line.slice(1));
    } else {
      rule = readLine(bare, stop);
    }
  }
  if (conditions.length > 0) throw new MakeError(`${path}: *** missing \`endif'.  Stop.`);

  function readLine(bare: string, stop: (why: string) => MakeError): MutableRule | undefined {
    const include = /^-?include\s+(.+)$/.exec(bare);
    if (include) {
      const directory = path.slice(0, path.lastIndexOf('/') + 1);
      const name = expand(include[1]!, variables).trim();
      const file = name.startsWith('/') ? name : `${directory}${name}`;
      readInto(file, read, given, variables, rules, depth + 1);
      return undefined;
    }
    const assignment = /^(?:export\s+)?([A-Za-z_][\w.-]*)\s*(\?=|:=|\+=|=)\s*(.*)$/.exec(bare);
    if (assignment) {
      assign(assignment[1]!, assignment[2]!, assignment[3]!);
      return undefined;
    }
    const target = /^([^\s:=][^:=]*):(?!=)\s*(.*)$/.exec(bare);
    if (!target) throw stop('missing separator');
    const needs = expand(target[2]!, variables)
      .split(/\s+/)
      .filter((word) => word !== '');
    const added = { target: expand(target[1]!, variables).trim(), needs, commands: [] };
    rules.push(added);
    return added;
  }

  function assign(name: string, how: string, value: string): void {
    if (given.has(name)) return;
    const old = variables.get(name);
    if (how === '?=' && old !== undefined) return;
    if (how === '+=') variables.set(name, old === undefined ? value : `${old} ${value}`);
    else variables.set(name, how === ':=' ? expand(value, variables) : value);
  }
}

function logicalLines(text: string): readonly { readonly line: string; readonly number: number }[] {
  const lines: { line: string; number: number }[] = [];
  let isOpen = false;
  text.split('\n').forEach((part, at) => {
    if (isOpen) lines.at(-1)!.line += ` ${part.trim()}`;
    else lines.push({ line: part, number: at + 1 });
    isOpen = part.endsWith('\\');
    if (isOpen) lines.at(-1)!.line = lines.at(-1)!.line.replace(/\s*\\$/, '');
  });
  return lines;
}

/** `$(NAME)` and `${NAME}` become values, `$$` a dollar; what is not set is nothing. */
export function expand(text: string, variables: ReadonlyMap<string, string>, depth = 0): string {
  if (depth > 20) throw new MakeError('*** Recursive variable references itself (eventually).  Stop.');
  return text.replace(/\$(?:\$|\(([^()]*)\)|\{([^{}]*)\}|(.))/g, (whole, round, curly, single) => {
    if (whole === '$$') return '$';
    return expand(variables.get(round ?? curly ?? single) ?? '', variables, depth + 1);
  });
}
