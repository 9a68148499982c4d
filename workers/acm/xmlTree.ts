/**
 * An XML document as a tree that remembers where each element stands, and the tree as text again.
 *
 * Document types are refused, so nothing is ever fetched and no entity but the five of XML expands.
 */
import { SaxesParser } from 'saxes';

/** From 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface XmlElement {
  readonly kind: 'element';
  /** As written, with a prefix if there is one. */
  readonly name: string;
  readonly local: string;
  readonly namespace: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlNode[];
  readonly place: Place;
  readonly span: XmlSpan;
}

/** Offsets in the text. */
export interface XmlSpan {
  readonly start: number;
  /** Behind the start tag and before the end tag; of `<a/>` both are the end. */
  readonly contentStart: number;
  readonly contentEnd: number;
  readonly end: number;
}

export type XmlNode =
  | XmlElement
  | { readonly kind: 'text' | 'comment' | 'cdata'; readonly text: string }
  | { readonly kind: 'instruction'; readonly target: string; readonly text: string };

export interface XmlDocument {
  /** The root element and what stands beside it. */
  readonly nodes: readonly XmlNode[];
  readonly root: XmlElement;
}

/** Not well-formed, too large, too deep, or with a document type. */
export class XmlError extends Error {
  override readonly name = 'XmlError';
  constructor(
    message: string,
    readonly place: Place,
  ) {
    super(message);
  }
}

/** Characters; the largest policy that the hypervisor's numbers allow is far smaller. */
export const MAX_XML_LENGTH = 1 << 20;
const MAX_DEPTH = 32;
const START: Place = { line: 1, column: 1 };

type OpenElement = Omit<XmlElement, 'children' | 'span'> & { readonly children: XmlNode[]; span: XmlSpan };

/** Throws XmlError. */
export function parseXml(text: string): XmlDocument {
  if (text.length > MAX_XML_LENGTH) throw new XmlError(`the file is larger than ${MAX_XML_LENGTH} characters`, START);
  const parser = new SaxesParser({ xmlns: true, position: true });
  const nodes: XmlNode[] = [];
  const open: OpenElement[] = [];
  let root: XmlElement | undefined;
  const lines = lineStarts(text);
  const here = (offset = parser.position): Place => placeOf(lines, offset);
  const add = (node: XmlNode) => void (open.at(-1)?.children ?? nodes).push(node);

  parser.on('error', (error) => {
    throw new XmlError(error.message.replace(/^(\S*:)?\d+:\d+: /, ''), here());
  });
  parser.on('doctype', () => {
    throw new XmlError('a document type is not allowed', here());
  });
  parser.on('xmldecl', ({ encoding, version }) => {
    if (version !== undefined && version !== '1.0') throw new XmlError(`XML version ${version}`, here());
    if (encoding !== undefined && !/^(utf-?8|us-ascii|ascii)$/i.test(encoding))
      throw new XmlError(`encoding ${encoding}: only UTF-8 is read`, here());
  });
  parser.on('opentag', (tag) => {
    if (open.length >= MAX_DEPTH) throw new XmlError(`elements are nested deeper than ${MAX_DEPTH}`, here());
    const attributes = new Map(Object.values(tag.attributes).map(({ name, value }) => [name, value]));
    // The parser stands behind the tag, where the next one may begin.
    const end = parser.position;
    const start = Math.max(0, text.lastIndexOf(`<${tag.name}`, end - 1));
    const { name, local, uri } = tag;
    const element: OpenElement = {
      kind: 'element',
      name,
      local,
      namespace: uri,
      attributes,
      children: [],
      place: here(start),
      span: { start, contentStart: end, contentEnd: end, end },
    };
    add(element);
    open.push(element);
  });
  parser.on('closetag', ({ isSelfClosing }) => {
    const closed = open.pop();
    if (closed && !isSelfClosing) {
      const end = parser.position;
      closed.span = { ...closed.span, contentEnd: text.lastIndexOf('</', end - 1), end };
    }
    if (open.length === 0) root = closed;
  });
  parser.on('text', (content) => {
    // White space beside the root belongs to no node.
    if (open.length > 0) add({ kind: 'text', text: content });
  });
  parser.on('cdata', (content) => add({ kind: 'cdata', text: content }));
  parser.on('comment', (content) => add({ kind: 'comment', text: content }));
  parser.on('processinginstruction', ({ target, body }) => add({ kind: 'instruction', target, text: body }));
  parser.write(text).close();
  if (!root) throw new XmlError('there is no root element', START);
  return { nodes, root };
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function placeOf(starts: readonly number[], offset: number): Place {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - starts[low]! + 1 };
}

/** Child elements, those of one local name if it is given. */
export function elements(parent: XmlElement, local?: string): readonly XmlElement[] {
  return parent.children.filter(
    (node): node is XmlElement => node.kind === 'element' && (local === undefined || node.local === local),
  );
}

/** The text directly in an element, blanks around it taken off. */
export function textOf(element: XmlElement): string {
  return element.children
    .map((node) => (node.kind === 'text' || node.kind === 'cdata' ? node.text : ''))
    .join('')
    .trim();
}

const HEADER = '<?xml version="1.0" ?>';

/** The document as Python's minidom writes it; this text is what a policy's fingerprint is taken of. */
export function xmlText(document: XmlDocument): string {
  return HEADER + document.nodes.map(nodeText).join('');
}

/** The same with every element on a line of its own, indented by three blanks a level. */
export function prettyXml(document: XmlDocument): string {
  return `${HEADER}\n${document.nodes.map((node) => prettyNode(node, '')).join('')}`;
}

function nodeText(node: XmlNode): string {
  switch (node.kind) {
    case 'text':
      return escaped(node.text);
    case 'cdata':
      return `<![CDATA[${node.text}]]>`;
    case 'comment':
      return `<!--${node.text}-->`;
    case 'instruction':
      return `<?${node.target} ${node.text}?>`;
    case 'element': {
      const start = `<${node.name}${attributesText(node)}`;
      if (node.children.length === 0) return `${start}/>`;
      return `${start}>${node.children.map(nodeText).join('')}</${node.name}>`;
    }
  }
}

function prettyNode(node: XmlNode, indent: string): string {
  if (node.kind === 'text') return node.text.trim() === '' ? '' : `${indent}${escaped(node.text.trim())}\n`;
  if (node.kind !== 'element') return `${indent}${nodeText(node)}\n`;
  if (!node.children.some(({ kind }) => kind !== 'text')) {
    const text = textOf(node);
    const start = `${indent}<${node.name}${attributesText(node)}`;
    return text === '' ? `${start}/>\n` : `${start}>${escaped(text)}</${node.name}>\n`;
  }
  const inside = node.children.map((child) => prettyNode(child, `${indent}   `)).join('');
  return `${indent}<${node.name}${attributesText(node)}>\n${inside}${indent}</${node.name}>\n`;
}

function attributesText({ attributes }: XmlElement): string {
  return [...attributes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ` ${name}="${escaped(value)}"`)
    .join('');
}

/** Text or an attribute's value with XML's special characters written as entities. */
export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;').replaceAll('>', '&gt;');
}
