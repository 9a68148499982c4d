/**
 * The headless host's language: one JSON object a line, checked field by field before anything is done with it.
 * docs/headless.md describes it for its users.
 */

import type { LinkState } from '../../../contract';
import { MAX_LATENCY_MS, MAX_MBIT_PER_S } from '../../../machine/linkState';

export type RequestId = number | string;
export type Encoding = 'utf8' | 'base64';

export interface Topology {
  readonly sockets: number;
  readonly cores: number;
  readonly threads: number;
}

/** `host.create` options, with their defaults filled in. */
export interface CreateOptions {
  readonly topology: Topology;
  readonly memoryMb: number;
  readonly seed: number;
  readonly scheduler: 'credit' | 'sedf';
  /** Xen was built with ACM. */
  readonly acm: boolean;
  readonly relocation: boolean;
}

export type Operation =
  | { readonly op: 'exec'; readonly command: string; readonly timeoutMs: number }
  | { readonly op: 'writeFile'; readonly path: string; readonly bytes: Uint8Array }
  | { readonly op: 'readFile'; readonly path: string; readonly encoding: Encoding }
  | { readonly op: 'console.open'; readonly domain: string; readonly follow: boolean }
  | { readonly op: 'console.write'; readonly console: string; readonly data: string }
  | { readonly op: 'console.close'; readonly console: string }
  | { readonly op: 'advance'; readonly ms: number }
  | { readonly op: 'link'; readonly change: Partial<LinkState> }
  | { readonly op: 'migration.cancel'; readonly domain: string }
  | { readonly op: 'migration.watch'; readonly isOn: boolean }
  | { readonly op: 'migration.map'; readonly migration: string }
  | { readonly op: 'host.create'; readonly options: CreateOptions }
  | { readonly op: 'snapshot' | 'host.crash' | 'host.boot' };

export type Request = Operation & { readonly id: RequestId; readonly host: string };

/** A request that cannot be met; `message` goes into its reply. */
export class RequestError extends Error {
  override readonly name: string = 'RequestError';
}

/** A line that is no request. `id` is what could be read of it. */
export class BadRequest extends RequestError {
  override readonly name = 'BadRequest';
  constructor(
    message: string,
    readonly id: RequestId | null,
  ) {
    super(message);
  }
}

/** What `exec` waits at most when the request does not say, ms of wall time. */
export const DEFAULT_TIMEOUT_MS = 120_000;
/** The clock counts nanoseconds in safe integers, 104 days of them. */
const MAX_ADVANCE_MS = 8e9;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
/** Xen's legacy shared page has room for this many vcpus, and Domain-0 has one for each cpu. */
const MAX_CPUS = 32;
const MIN_MEMORY_MB = 256;
/** What a 32-bit hypervisor with PAE can hold. */
const MAX_MEMORY_MB = 65_536;

type Fields = Readonly<Record<string, unknown>>;

/** One line to one request. Throws BadRequest. */
export function parseRequest(line: string): Request {
  const fields = parseObject(line);
  const id = fields['id'];
  if (typeof id !== 'number' && typeof id !== 'string')
    throw new BadRequest('id: a number or a string is needed', null);
  try {
    const host = hostName(fields['host'] ?? 'host1');
    return { id, host, ...parseOperation(text(fields, 'op'), fields) };
  } catch (error) {
    if (error instanceof RequestError) throw new BadRequest(error.message, id);
    throw error;
  }
}

function parseObject(line: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new BadRequest(`not JSON: ${(error as SyntaxError).message}`, null);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BadRequest('a request is a JSON object', null);
  return value as Fields;
}

function parseOperation(op: string, fields: Fields): Operation {
  switch (op) {
    case 'exec':
      return {
        op,
        command: text(fields, 'command'),
        timeoutMs: number(fields, 'timeoutMs', { least: 0, most: MAX_TIMEOUT_MS, otherwise: DEFAULT_TIMEOUT_MS }),
      };
    case 'writeFile':
      return { op, path: path(fields), bytes: content(fields) };
    case 'readFile':
      return { op, path: path(fields), encoding: encoding(fields) };
    case 'console.open':
      return { op, domain: domain(fields), follow: boolean(fields, 'follow', false) };
    case 'console.write':
      return { op, console: text(fields, 'console'), data: text(fields, 'data') };
    case 'console.close':
      return { op, console: text(fields, 'console') };
    case 'advance':
      return { op, ms: number(fields, 'ms', { least: 0, most: MAX_ADVANCE_MS }) };
    case 'link':
      return { op, change: link(fields) };
    case 'migration.cancel':
      return { op, domain: domain(fields) };
    case 'migration.watch':
      return { op, isOn: boolean(fields, 'isOn', true) };
    case 'migration.map':
      return { op, migration: text(fields, 'migration') };
    case 'host.create':
      if (fields['host'] === undefined) throw new RequestError('host: a name is needed');
      return { op, options: parseOptions(fields['options'] ?? {}) };
    case 'snapshot':
    case 'host.crash':
    case 'host.boot':
      return { op };
    default:
      throw new RequestError(`unknown op: ${op}`);
  }
}

// ------------------------------------------------------------------------------------------------ fields

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (value === undefined) throw new RequestError(`${name}: missing`);
  if (typeof value !== 'string') throw new RequestError(`${name}: a string is needed`);
  return value;
}

interface Range {
  readonly least: number;
  readonly most: number;
  readonly otherwise?: number;
}

function number(fields: Fields, name: string, { least, most, otherwise }: Range): number {
  const value = fields[name] ?? otherwise;
  if (value === undefined) throw new RequestError(`${name}: missing`);
  if (typeof value !== 'number') throw new RequestError(`${name}: a number is needed`);
  if (!(value >= least && value <= most)) throw new RequestError(`${name}: must be from ${least} to ${most}`);
  return value;
}

function integer(fields: Fields, name: string, range: Range): number {
  const value = number(fields, name, range);
  if (!Number.isInteger(value)) throw new RequestError(`${name}: a whole number is needed`);
  return value;
}

function boolean(fields: Fields, name: string, otherwise: boolean): boolean {
  const value = fields[name] ?? otherwise;
  if (typeof value !== 'boolean') throw new RequestError(`${name}: true or false is needed`);
  return value;
}

function path(fields: Fields): string {
  const value = text(fields, 'path');
  if (!value.startsWith('/')) throw new RequestError('path: must begin with /');
  return value;
}

function encoding(fields: Fields): Encoding {
  const value = fields['encoding'] ?? 'utf8';
  if (value !== 'utf8' && value !== 'base64') throw new RequestError('encoding: must be utf8 or base64');
  return value;
}

function content(fields: Fields): Uint8Array {
  const data = text(fields, 'data');
  if (encoding(fields) === 'utf8') return new TextEncoder().encode(data);
  if (data.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(data)) throw new RequestError('data: not base64');
  return new Uint8Array(Buffer.from(data, 'base64'));
}

/** A name or an id; ids may come as numbers. */
function domain(fields: Fields): string {
  const value = fields['domain'];
  return typeof value === 'number' ? String(value) : text(fields, 'domain');
}

/** What is left out stays as it is. */
function link(fields: Fields): Partial<LinkState> {
  const { mbitPerS, latencyMs, isUp } = fields;
  const speed: Range = { least: 0.001, most: MAX_MBIT_PER_S };
  return {
    ...(mbitPerS === undefined ? {} : { mbitPerS: mbitPerS === null ? null : number(fields, 'mbitPerS', speed) }),
    ...(latencyMs === undefined ? {} : { latencyMs: number(fields, 'latencyMs', { least: 0, most: MAX_LATENCY_MS }) }),
    ...(isUp === undefined ? {} : { isUp: boolean(fields, 'isUp', true) }),
  };
}

function hostName(value: unknown): string {
  if (typeof value !== 'string') throw new RequestError('host: a string is needed');
  if (!/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(value)) throw new RequestError(`host: '${value}' is no host name`);
  return value;
}

// ------------------------------------------------------------------------------------------------ options

const OPTIONS = ['cpus', 'topology', 'memoryMb', 'seed', 'scheduler', 'acm', 'vtpm', 'relocation'];

export const DEFAULT_OPTIONS: CreateOptions = parseOptions({});

function parseOptions(value: unknown): CreateOptions {
  const fields = objectOf('options', value, OPTIONS);
  // What a host cannot be given is refused rather than left out.
  if (boolean(fields, 'vtpm', false)) throw new RequestError('vtpm: hosts of this version are made without it');
  const scheduler = fields['scheduler'] ?? 'credit';
  if (scheduler !== 'credit' && scheduler !== 'sedf') throw new RequestError('scheduler: must be credit or sedf');
  return {
    topology: topologyOf(fields),
    memoryMb: integer(fields, 'memoryMb', { least: MIN_MEMORY_MB, most: MAX_MEMORY_MB, otherwise: 2048 }),
    seed: integer(fields, 'seed', { least: 0, most: 2 ** 32 - 1, otherwise: 1 }),
    scheduler,
    acm: boolean(fields, 'acm', false),
    relocation: boolean(fields, 'relocation', true),
  };
}

function topologyOf(fields: Fields): Topology {
  const cpu: Range = { least: 1, most: MAX_CPUS };
  if (fields['topology'] === undefined)
    return { sockets: integer(fields, 'cpus', { ...cpu, otherwise: 2 }), cores: 1, threads: 1 };
  if (fields['cpus'] !== undefined) throw new RequestError('cpus and topology: only one of them may be given');
  const given = objectOf('topology', fields['topology'], ['sockets', 'cores', 'threads']);
  const count = (name: string) => integer(given, name, { ...cpu, otherwise: 1 });
  const topology = { sockets: count('sockets'), cores: count('cores'), threads: count('threads') };
  if (topology.sockets * topology.cores * topology.threads > MAX_CPUS)
    throw new RequestError(`topology: more than ${MAX_CPUS} cpus`);
  return topology;
}

function objectOf(name: string, value: unknown, allowed: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RequestError(`${name}: an object is needed`);
  for (const key of Object.keys(value)) if (!allowed.includes(key)) throw new RequestError(`unknown option: ${key}`);
  return value as Fields;
}
