/** find's expressions: from the arguments to a plain tree. */
import type { Sys } from '../../sys';
import { changeMode } from '../modes';
import { ToolError } from '../options';
import { gidOf, uidOf } from '../users';
import { emacsRegex } from './findTests';

/** The expression as plain data. */
export type Test =
  | { readonly op: 'and' | 'or'; readonly parts: readonly Test[] }
  | { readonly op: 'not'; readonly part: Test }
  | { readonly op: 'test'; readonly name: string; readonly value: string; readonly number: number }
  | {
      readonly op: 'exec';
      readonly argv: readonly string[];
      readonly isMany: boolean;
      readonly inDir: boolean;
      readonly asks: boolean;
    };

export interface Parsed {
  readonly expression: Test;
  readonly minDepth: number;
  readonly maxDepth: number;
  /** A directory after what is in it. */
  readonly depthFirst: boolean;
  readonly follow: boolean;
  readonly oneFileSystem: boolean;
  /** Ages count from the end of today. */
  readonly fromMidnight: boolean;
}

const WITH_VALUE = new Set([
  'name',
  'iname',
  'path',
  'wholename',
  'ipath',
  'lname',
  'regex',
  'type',
  'size',
  'newer',
  'mtime',
  'mmin',
  'atime',
  'amin',
  'ctime',
  'cmin',
  'user',
  'uid',
  'group',
  'gid',
  'links',
  'inum',
  'perm',
  'printf',
  'samefile',
  'xtype',
]);
const WITHOUT_VALUE = new Set([
  'true',
  'false',
  'empty',
  'print',
  'print0',
  'ls',
  'delete',
  'quit',
  'prune',
  'nouser',
  'nogroup',
]);

/** Tests that do something. */
export const ACTIONS: ReadonlySet<string> = new Set(['print', 'print0', 'ls', 'delete', 'printf', 'quit', 'prune']);

export class ExpressionParser {
  #at = 0;
  #hasAction = false;
  #isDepthFirst = false;
  #isFollowing = false;
  #isOneFileSystem = false;
  #isFromMidnight = false;
  #depth = [0, Number.MAX_SAFE_INTEGER];

  constructor(
    private readonly sys: Sys,
    private readonly args: readonly string[],
  ) {}

  parse(): Parsed {
    let expression = this.args.length > 0 ? this.#or() : TRUE;
    if (this.#at < this.args.length)
      throw new ToolError(
        this.args[this.#at] === ')'
          ? "invalid expression; you have too many ')'"
          : `paths must precede expression: ${this.args[this.#at]}\nUsage: find [-H] [-L] [-P] [path...] [expression]`,
      );
    if (!this.#hasAction) expression = { op: 'and', parts: [expression, simple('print')] };
    return {
      expression,
      minDepth: this.#depth[0]!,
      maxDepth: this.#depth[1]!,
      depthFirst: this.#isDepthFirst,
      follow: this.#isFollowing,
      oneFileSystem: this.#isOneFileSystem,
      fromMidnight: this.#isFromMidnight,
    };
  }

  #or(): Test {
    const parts = [this.#and()];
    while (this.args[this.#at] === '-o' || this.args[this.#at] === '-or') {
      this.#at++;
      parts.push(this.#and());
    }
    return parts.length === 1 ? parts[0]! : { op: 'or', parts };
  }

  #and(): Test {
    const parts: Test[] = [];
    for (;;) {
      const word = this.args[this.#at];
      if (word === undefined || word === ')' || word === '-o' || word === '-or') break;
      if (word === '-a' || word === '-and') {
        this.#at++;
        continue;
      }
      parts.push(this.#primary());
    }
    if (parts.length === 0) throw new ToolError('invalid expression');
    return parts.length === 1 ? parts[0]! : { op: 'and', parts };
  }

  #primary(): Test {
    const word = this.args[this.#at++]!;
    if (word === '!' || word === '-not') {
      if (this.#at >= this.args.length) throw new ToolError('invalid expression');
      return { op: 'not', part: this.#primary() };
    }
    if (word === '(') {
      const inner = this.#or();
      if (this.args[this.#at++] !== ')')
        throw new ToolError("invalid expression; I was expecting to find a ')' somewhere but did not see one.");
      return inner;
    }
    if (!word.startsWith('-')) {
      this.#at--;
      throw new ToolError(`paths must precede expression: ${word}\nUsage: find [-H] [-L] [-P] [path...] [expression]`);
    }
    return this.#named(word.slice(1));
  }

  #value(name: string): string {
    const value = this.args[this.#at++];
    if (value === undefined) throw new ToolError(`missing argument to \`-${name}'`);
    return value;
  }

  #named(name: string): Test {
    switch (name) {
      case 'maxdepth':
      case 'mindepth': {
        const value = this.#value(name);
        if (!/^\d+$/.test(value)) throw new ToolError(`invalid argument \`${value}' to \`-${name}'`);
        this.#depth[name === 'mindepth' ? 0 : 1] = Number(value);
        return TRUE;
      }
      case 'depth':
      case 'd':
        this.#isDepthFirst = true;
        return TRUE;
      case 'follow':
        this.#isFollowing = true;
        return TRUE;
      case 'xdev':
      case 'mount':
        this.#isOneFileSystem = true;
        return TRUE;
      case 'noleaf':
        return TRUE;
      case 'daystart':
        this.#isFromMidnight = true;
        return TRUE;
      case 'exec':
      case 'execdir':
      case 'ok':
        return this.#exec(name);
    }
    if (WITHOUT_VALUE.has(name)) {
      if (ACTIONS.has(name) && name !== 'prune') this.#hasAction = true;
      if (name === 'delete') this.#isDepthFirst = true;
      return simple(name);
    }
    if (!WITH_VALUE.has(name)) throw new ToolError(`invalid predicate \`-${name}'`);
    const value = this.#value(name);
    if (name === 'printf') this.#hasAction = true;
    return this.#withNumber(name === 'wholename' ? 'path' : name, value);
  }

  #exec(name: string): Test {
    const argv: string[] = [];
    for (;;) {
      const word = this.args[this.#at++];
      if (word === undefined) throw new ToolError(`missing argument to \`-${name}'`);
      const isMany = word === '+' && argv.at(-1) === '{}';
      if (word !== ';' && !isMany) {
        argv.push(word);
        continue;
      }
      if (argv.length === 0) throw new ToolError(`missing argument to \`-${name}'`);
      this.#hasAction = true;
      return {
        op: 'exec',
        argv: isMany ? argv.slice(0, -1) : argv,
        isMany,
        inDir: name === 'execdir',
        asks: name === 'ok',
      };
    }
  }

  #withNumber(name: string, value: string): Test {
    const invalid = () => new ToolError(`invalid argument \`${value}' to \`-${name}'`);
    let number = 1;
    let text = value;
    if (name === 'size') {
      const match = /^([-+]?\d+)([bcwkMG]?)$/.exec(value);
      if (!match) throw invalid();
      number = { '': 512, b: 512, c: 1, w: 2, k: 1024, M: 1048576, G: 1073741824 }[match[2]!]!;
      text = match[1]!;
    } else if (name === 'newer') number = this.sys.stat(value).mtime;
    else if (name === 'samefile') {
      const { dev, ino } = this.sys.stat(value);
      number = ino;
      text = String(dev);
    } else if (name === 'regex') emacsRegex(value);
    else if (/time$/.test(name)) number = 86400;
    else if (/min$/.test(name)) number = 60;
    else if (name === 'user' || name === 'uid' || name === 'group' || name === 'gid') {
      const found = name === 'user' || name === 'uid' ? uidOf(this.sys, value) : gidOf(this.sys, value);
      if (found === undefined)
        throw new ToolError(
          name === 'user'
            ? `\`${value}' is not the name of a known user`
            : `\`${value}' is not the name of an existing group`,
        );
      number = found;
    } else if (name === 'perm') {
      const sign = /^[-+/]/.exec(value)?.[0] ?? '';
      const mode = changeMode(value.slice(sign.length), { kind: 'file', mode: 0 }, 0);
      if (mode === undefined) throw new ToolError(`invalid mode \`${value}'`);
      number = mode;
      text = sign === '/' ? '+' : sign;
    } else if ((name === 'type' || name === 'xtype') && !/^[fdlcbps](,[fdlcbps])*$/.test(value))
      throw new ToolError(`Unknown argument to -${name}: ${value}`);
    return { op: 'test', name, value: text, number };
  }
}

const simple = (name: string): Test => ({ op: 'test', name, value: '', number: 0 });
const TRUE = simple('true');
