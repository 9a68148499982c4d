/** The stack machine that runs a compiled awk program, a bounded number of instructions at a time. */

import { again, exit, type Step, type Sys, wait } from '../../../sys';
import { childStatus } from '../../children';
import type { Instruction } from './code';
import { slotOf } from './code';
import { formatAwk } from './format';
import { callBuiltin, substitute } from './functions';
import { count, leaveFile, nextRecord, readRecord } from './input';
import * as s from './state';
import { closeStream, flush, inputOf, writeTo } from './streams';
import { arithmetic, compareValues, fromInput, holds, isTrueValue, toNumber, toText, type Value } from './values';

const BUDGET = 2000;
const NS_PER_INSTRUCTION = 60;
const DEEPEST_CALL = 10_000;
const LONGEST_TEXT = 1 << 24;
const OFMT = slotOf('OFMT');
const OFS = slotOf('OFS');
const ORS = slotOf('ORS');
const RS = slotOf('RS');
const SUBSEP = slotOf('SUBSEP');

/** Runs on until the budget is used up or something must be waited for. Throws AwkFatal. */
export function runMachine(sys: Sys, state: s.AwkState): Step {
  return new Machine(sys, state).run();
}

class Machine {
  #hasPrinted = false;
  /** Set by an instruction that has to wait: it is run again afterwards. */
  #step: Step | undefined;

  constructor(
    private readonly sys: Sys,
    private readonly state: s.AwkState,
  ) {}

  run(): Step {
    const { state } = this;
    for (let left = BUDGET; left > 0; left--) {
      const full = flush(this.sys, state);
      if (full) return wait(full);
      if (state.phase === 'closing') return this.#closing();
      if (state.pc < 0) this.#fetchRecord();
      else {
        const at = state.pc++;
        this.#one(state.program!.code[at]!);
        if (this.#step) state.pc = at;
      }
      if (this.#step) return this.#step;
    }
    return again(BUDGET * NS_PER_INSTRUCTION);
  }

  #fetchRecord(): void {
    const { sys, state } = this;
    const text = nextRecord(sys, state);
    if (text === undefined) this.#step = wait({ readable: state.reader!.fd });
    else if (text === null) this.#enter('end');
    else {
      s.setRecord(state, text);
      state.pc = state.program!.main;
    }
  }

  #enter(phase: 'main' | 'end' | 'closing'): void {
    const { state } = this;
    state.stack = [];
    state.frames = [];
    state.iterators = [];
    state.phase = phase;
    state.pc = phase === 'end' ? state.program!.end : -1;
  }

  /** Lets the commands that were written to come to their ends. */
  #closing(): Step {
    const { sys, state } = this;
    if (state.child > 0) {
      if (childStatus(sys, state.child) === undefined) return wait({ child: true });
      state.child = 0;
    }
    const stream = closeStream(sys, state);
    if (!stream) return exit(state.status);
    state.child = stream.pid;
    return again();
  }

  #push(value: Value): void {
    this.state.stack.push(value);
  }

  #pop(): Value {
    return this.state.stack.pop() ?? null;
  }

  #text(value: Value): string {
    return s.textOf(this.state, value);
  }

  #one(it: Instruction): void {
    const { state } = this;
    switch (it[0]) {
      case 'push':
        this.#push(it[1]);
        return;
      case 'pop':
        state.stack.pop();
        return;
      case 'dup':
        this.#push(state.stack.at(-1)!);
        return;
      case 'load':
        this.#push(s.loadTarget(state, it[1], it[2], needsOperand(it[1]) ? this.#pop() : null));
        return;
      case 'store': {
        const value = this.#pop();
        s.storeTarget(state, it[1], it[2], needsOperand(it[1]) ? this.#pop() : null, value);
        this.#push(value);
        return;
      }
      case 'step': {
        const operand = needsOperand(it[1]) ? this.#pop() : null;
        const old = toNumber(s.loadTarget(state, it[1], it[2], operand));
        s.storeTarget(state, it[1], it[2], operand, old + it[3]);
        this.#push(it[4] ? old : old + it[3]);
        return;
      }
      case 'arith': {
        const b = toNumber(this.#pop());
        this.#push(arithmetic(it[1], toNumber(this.#pop()), b));
        return;
      }
      case 'compare': {
        const b = this.#pop();
        const order = compareValues(this.#pop(), b, s.convfmt(state));
        this.#push(holds(it[1], order) ? 1 : 0);
        return;
      }
      case 'concat': {
        const b = this.#text(this.#pop());
        const whole = this.#text(this.#pop()) + b;
        if (whole.length > LONGEST_TEXT) throw new s.AwkFatal('memory exhausted');
        this.#push(whole);
        return;
      }
      case 'match': {
        const source = this.#text(this.#pop());
        this.#push(s.awkRegex(source).test(this.#text(this.#pop())) ? 1 : 0);
        return;
      }
      case 'bool':
        this.#push(isTrueValue(this.#pop()) ? 1 : 0);
        return;
      case 'not':
        this.#push(isTrueValue(this.#pop()) ? 0 : 1);
        return;
      case 'neg':
        this.#push(0 - toNumber(this.#pop()));
        return;
      case 'plus':
        this.#push(toNumber(this.#pop()));
        return;
      case 'subscript':
        this.#push(
          state.stack
            .splice(-it[1])
            .map((key) => this.#text(key))
            .join(s.special(state, SUBSEP)),
        );
        return;
      case 'jump':
        state.pc = it[1];
        return;
      case 'jumpFalse':
        if (!isTrueValue(this.#pop())) state.pc = it[1];
        return;
      case 'jumpTrue':
        if (isTrueValue(this.#pop())) state.pc = it[1];
        return;
      default:
        this.#other(it);
    }
  }

  #other(it: Instruction): void {
    const { sys, state } = this;
    switch (it[0]) {
      case 'in':
        this.#push(s.hasKey(s.tableOf(state, it[1], it[2]), this.#text(this.#pop())) ? 1 : 0);
        return;
      case 'remove':
        s.removeKey(s.tableOf(state, it[1], it[2]), this.#text(this.#pop()));
        return;
      case 'clear':
        this.#clear(s.tableOf(state, it[1], it[2]));
        return;
      case 'size':
        this.#push(Object.keys(s.tableOf(state, it[1], it[2])).length);
        return;
      case 'keys':
        state.iterators.push({ keys: Object.keys(s.tableOf(state, it[1], it[2])).map(s.nameOfKey), at: 0 });
        return;
      case 'nextKey': {
        const iterator = state.iterators.at(-1)!;
        if (iterator.at < iterator.keys.length) this.#push(fromInput(iterator.keys[iterator.at++]!));
        else state.pc = it[1];
        return;
      }
      case 'endKeys':
        state.iterators.pop();
        return;
      case 'pushArray':
        this.#push(it[1] === 'g' ? state.globals[it[2]]! : state.stack[state.frames.at(-1)!.base + it[2]]!);
        return;
      case 'call':
        this.#call(it[1]);
        return;
      case 'ret':
        this.#return();
        return;
      case 'builtin':
        this.#builtin(it[1], it[2]);
        return;
      case 'split':
        this.#split(it);
        return;
      case 'substitute': {
        const replacement = this.#text(this.#pop());
        const source = this.#text(this.#pop());
        const operand = needsOperand(it[1]) ? this.#pop() : null;
        const text = this.#text(s.loadTarget(state, it[1], it[2], operand));
        const [changed, found] = substitute(text, source, replacement, it[3]);
        if (found > 0) s.storeTarget(state, it[1], it[2], operand, changed);
        this.#push(found);
        return;
      }
      case 'getline':
        this.#getline(it);
        return;
      case 'print':
        this.#print(it[1], it[2], it[3]);
        return;
      case 'ifOpen':
        if (state.openRanges[it[1]]) state.pc = it[2];
        return;
      case 'setOpen':
        state.openRanges[it[1]] = it[2];
        return;
      case 'nextfile':
        leaveFile(sys, state);
        this.#next();
        return;
      case 'next':
        this.#next();
        return;
      case 'exit':
        if (it[1]) state.status = Math.trunc(toNumber(this.#pop())) & 255;
        this.#enter(state.phase === 'end' ? 'closing' : 'end');
    }
  }

  /** The end of the rules, and of BEGIN. */
  #next(): void {
    const { phase, program } = this.state;
    if (phase === 'end') throw new s.AwkFatal("`next' used in END action");
    this.#enter(phase === 'main' || program!.readsInput ? 'main' : 'closing');
  }

  #clear(table: s.Table): void {
    for (const key of Object.keys(table)) delete table[key];
  }

  #call(fn: number): void {
    const { state } = this;
    const { at, params } = state.program!.functions[fn]!;
    if (state.frames.length >= DEEPEST_CALL) throw new s.AwkFatal('function calls are nested too deeply');
    const base = state.stack.length - params.length;
    const owned: number[] = [];
    params.forEach((isArray, i) => {
      if (!isArray || state.stack[base + i] !== null) return;
      const id = state.nextTable++;
      state.tables[id] = {};
      state.stack[base + i] = id;
      owned.push(id);
    });
    state.frames.push({ returnTo: state.pc, base, fn, iterators: state.iterators.length, owned });
    state.pc = at;
  }

  #return(): void {
    const { state } = this;
    const value = this.#pop();
    const frame = state.frames.pop()!;
    for (const id of frame.owned) delete state.tables[id];
    state.stack.length = frame.base;
    state.iterators.length = frame.iterators;
    state.pc = frame.returnTo;
    this.#push(value);
  }

  #builtin(name: string, argc: number): void {
    const { sys, state } = this;
    const args = argc > 0 ? state.stack.slice(-argc) : [];
    const done = (value: Value) => {
      state.stack.length -= argc;
      this.#push(value);
    };
    if (name === 'system' || name === 'close') {
      const status = name === 'system' ? this.#system(this.#text(args[0]!)) : this.#close(this.#text(args[0]!));
      if (status !== undefined) done(status);
    } else if (name === 'fflush') {
      done(0);
    } else done(callBuiltin(sys, state, name, args) ?? 0);
  }

  /** Status of the command; undefined while it runs. */
  #system(command: string): number | undefined {
    const { sys, state } = this;
    // What was printed before comes out before.
    if (state.child === 0 && this.#hasPrinted) {
      this.#step = again();
      return undefined;
    }
    if (state.child === 0) state.child = sys.spawn({ argv: ['/bin/sh', '-c', command] });
    return this.#waitChild();
  }

  #close(name: string): number | undefined {
    const { sys, state } = this;
    if (state.child === 0) {
      const stream = closeStream(sys, state, name);
      if (!stream) return -1;
      if (stream.pid === 0) return 0;
      state.child = stream.pid;
    }
    return this.#waitChild();
  }

  #waitChild(): number | undefined {
    const status = childStatus(this.sys, this.state.child);
    if (status === undefined) this.#step = wait({ child: true });
    else this.state.child = 0;
    return status;
  }

  #split([, place, slot, how]: Extract<Instruction, readonly ['split', ...unknown[]]>): void {
    const { state } = this;
    const separator = how === 1 ? s.special(state, slotOf('FS')) : this.#text(this.#pop());
    const text = this.#text(this.#pop());
    const table = s.tableOf(state, place, slot);
    this.#clear(table);
    const pieces = s.splitText(text, separator, how === 3);
    for (const [i, piece] of pieces.entries()) s.setKey(table, String(i + 1), fromInput(piece));
    this.#push(pieces.length);
  }

  #getline([, from, target, slot]: Extract<Instruction, readonly ['getline', ...unknown[]]>): void {
    const { sys, state } = this;
    let text: string | null | undefined;
    let fd = 0;
    if (from === 'input') {
      text = nextRecord(sys, state);
      fd = state.reader?.fd ?? 0;
    } else {
      if (this.#hasPrinted && from === 'command') {
        this.#step = again();
        return;
      }
      const stream = inputOf(sys, state, from, this.#text(state.stack.at(-1)!));
      if (stream) {
        fd = stream.fd;
        text = readRecord(sys, stream.reader, s.special(state, RS));
        if (typeof text === 'string' && from === 'command') count(state, s.NR);
      } else text = null;
      if (!stream) {
        this.#pop();
        if (target !== '' && needsOperand(target)) this.#pop();
        this.#push(-1);
        return;
      }
    }
    if (text === undefined) {
      this.#step = wait({ readable: fd });
      return;
    }
    if (from !== 'input') this.#pop();
    const operand = target !== '' && needsOperand(target) ? this.#pop() : null;
    if (text !== null) {
      if (target === '') s.setRecord(state, text);
      else s.storeTarget(state, target, slot, operand, fromInput(text));
    }
    this.#push(text === null ? 0 : 1);
  }

  #print(argc: number, isFormatted: boolean, to: '' | '>' | '>>' | '|'): void {
    const { sys, state } = this;
    const target = to === '' ? '' : this.#text(this.#pop());
    const args = argc > 0 ? state.stack.splice(-argc) : [s.loadTarget(state, 'f', 0, 0)];
    let text: string;
    if (isFormatted) text = formatAwk(this.#text(args[0]!), args.slice(1), s.convfmt(state));
    else {
      const format = toText(state.globals[OFMT], '%.6g');
      text = args.map((arg) => toText(arg, format)).join(s.special(state, OFS)) + s.special(state, ORS);
    }
    if (to === '') {
      sys.print(text);
      this.#hasPrinted = true;
    } else writeTo(sys, state, to, target, text);
  }
}

const needsOperand = (target: string) => target !== 'g' && target !== 'l';
