/** Elements that are to be in an XML text, without a place in it yet. */
import { escaped } from './xmlTree';

export interface XmlSketch {
  readonly name: string;
  /** Tells it from its siblings. */
  readonly key: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** What it holds; undefined: elements, or nothing. */
  readonly text?: string | undefined;
  readonly children: readonly XmlSketch[];
}

/** How elements stand below each other. */
export interface XmlLayout {
  /** Before an element's first line there is nothing: its place is the caller's. */
  readonly indent: string;
  readonly unit: string;
  /** '' puts everything on one line. */
  readonly eol: string;
}

/** An element on lines of its own, indented by two blanks a level. */
export function sketchText(sketch: XmlSketch, layout: XmlLayout = { indent: '', unit: '  ', eol: '\n' }): string {
  const { indent, unit, eol } = layout;
  const start = `<${sketch.name}${attributesText(sketch.attributes)}>`;
  const end = `</${sketch.name}>`;
  if (sketch.text !== undefined) return `${start}${escaped(sketch.text)}${end}`;
  const inner = eol === '' ? '' : `${eol}${indent}${unit}`;
  const below = { ...layout, indent: indent + unit };
  const children = sketch.children.map((child) => inner + sketchText(child, below)).join('');
  return `${start}${children}${eol === '' ? '' : eol + indent}${end}`;
}

export function attributesText(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escaped(value)}"`)
    .join('');
}
