/** Files and commands that an awk program writes to or reads from by name. */
import { strerror } from '../../../../lib/errno';
import { type Sys, SysError, type Wait } from '../../../sys';
import { lineReader } from '../lines';
import { AwkFatal, type AwkState, type Stream } from './state';

const encoder = new TextEncoder();

/** Hands text to the stream of that name, which is opened when it is new. A wait: it is full. */
export function writeTo(sys: Sys, state: AwkState, kind: '>' | '>>' | '|', name: string, text: string): void {
  if (kind !== '|' && name === '/dev/stdout') sys.print(text);
  else if (kind !== '|' && name === '/dev/stderr') sys.eprint(text);
  else {
    const same = kind === '|' ? '|' : '>';
    const stream =
      state.streams.find((it) => it.name === name && it.kind === same) ?? openOutput(sys, state, kind, name);
    stream.pending.push(encoder.encode(text));
  }
}

function openOutput(sys: Sys, state: AwkState, kind: '>' | '>>' | '|', name: string): Stream {
  try {
    if (kind !== '|') {
      const fd = sys.open(name, { write: true, create: true, append: kind === '>>', truncate: kind === '>' });
      return add(state, name, '>', fd, 0);
    }
    const [read, write] = sys.pipe();
    const pid = sys.spawn({ argv: ['/bin/sh', '-c', name], fds: { 0: read, 1: 1, 2: 2 } });
    sys.close(read);
    return add(state, name, '|', write, pid);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new AwkFatal(`can't redirect to \`${name}' (${strerror[error.code]})`);
  }
}

function add(state: AwkState, name: string, kind: Stream['kind'], fd: number, pid: number): Stream {
  const stream: Stream = { name, kind, reader: lineReader(fd), fd, pid, pending: [] };
  state.streams.push(stream);
  return stream;
}

/** The stream to read from; undefined when the file cannot be opened. */
export function inputOf(sys: Sys, state: AwkState, kind: 'file' | 'command', name: string): Stream | undefined {
  const known = state.streams.find((it) => it.name === name && it.kind === kind);
  if (known) return known;
  try {
    if (kind === 'file') return add(state, name, kind, name === '-' ? 0 : sys.open(name, { read: true }), 0);
    const [read, write] = sys.pipe();
    const pid = sys.spawn({ argv: ['/bin/sh', '-c', name], fds: { 0: 0, 1: write, 2: 2 } });
    sys.close(write);
    return add(state, name, kind, read, pid);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    return undefined;
  }
}

/** Writes what is pending; a wait while a stream takes no more. */
export function flush(sys: Sys, state: AwkState): Wait | undefined {
  for (const stream of state.streams) {
    for (let bytes = stream.pending.shift(); bytes; bytes = stream.pending.shift()) {
      const taken = sys.write(stream.fd, bytes);
      if (taken === bytes.length) continue;
      stream.pending.unshift(bytes.subarray(taken));
      return { writable: stream.fd };
    }
  }
  return undefined;
}

/** Closes the first stream of that name (of any when absent) and takes it off the list. */
export function closeStream(sys: Sys, state: AwkState, name?: string): Stream | undefined {
  const index = state.streams.findIndex((it) => name === undefined || it.name === name);
  const stream = state.streams[index];
  if (!stream) return undefined;
  state.streams.splice(index, 1);
  if (stream.fd > 0) sys.close(stream.fd);
  return stream;
}
