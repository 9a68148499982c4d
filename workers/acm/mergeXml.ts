/**
 * Changes of some elements in an XML text that leave all the rest as it is: comments, blanks, the order, quotation marks.
 *
 * What has changed is told from two sketches, of before and after; the text may say more than the first of them. What both
 * have alike is not touched.
 */
import { attributesText, sketchText, type XmlLayout, type XmlSketch } from './xmlSketch';
import { elements, escaped, type XmlElement } from './xmlTree';

/** `keyOf`: tells elements of the text from their siblings as the sketches' keys do. */
export function mergeXml(
  source: string,
  root: XmlElement,
  before: XmlSketch,
  after: XmlSketch,
  keyOf: (element: XmlElement) => string,
): string {
  const merge = new Merge(source, root, keyOf);
  merge.element(root, before, after);
  return merge.result();
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What stays when the element around it goes; sections are looked over. */
const ASIDES = /<!\[CDATA\[[\s\S]*?\]\]>|<!--[\s\S]*?-->|<\?[\s\S]*?\?>/g;
const isAside = (piece: string) => piece.startsWith('<!--') || piece.startsWith('<?');
/** Comments, instructions, sections and texts of an element that holds no elements. */
const PIECES = /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[[\s\S]*?\]\]>|[^<]+/g;
/** What stands behind an element on its line, when that is nothing but comments. */
const REST_OF_LINE = /^[ \t]*(?:<!--(?:(?!-->)[^\n])*-->[ \t]*)*(?=\r?\n)/;
/** Another element on the same line. */
const NEIGHBOUR = /^[ \t]*(?:<!--(?:(?!-->)[^\n])*-->[ \t]*)*<[^!?]/;

class Merge {
  readonly #edits: Edit[] = [];
  readonly #eol: string;
  readonly #unit: string;

  constructor(
    private readonly source: string,
    root: XmlElement,
    private readonly keyOf: (element: XmlElement) => string,
  ) {
    this.#eol = source.includes('\r\n') ? '\r\n' : '\n';
    const [first] = elements(root);
    const indent = first && this.#indentOf(first);
    this.#unit = indent === undefined || indent === '' ? '  ' : indent;
  }

  result(): string {
    // Insertions at one place stay in their order, before what is taken away behind it.
    const edits = this.#edits.map((edit, at) => ({ ...edit, at }));
    edits.sort((a, b) => a.start - b.start || a.end - b.end || a.at - b.at);
    let text = '';
    let done = 0;
    for (const { start, end, text: inserted } of edits) {
      text += this.source.slice(done, start) + inserted;
      done = end;
    }
    return text + this.source.slice(done);
  }

  element(element: XmlElement, before: XmlSketch, after: XmlSketch): void {
    this.#attributes(element, before.attributes, after.attributes);
    if (after.text === undefined) this.#children(element, before.children, after.children);
    else if (before.text !== after.text) this.#setText(element, after.text);
  }

  #edit(start: number, end: number, text: string): void {
    this.#edits.push({ start, end, text });
  }

  // ---------------------------------------------------------------------------------------------- elements inside

  #children(parent: XmlElement, before: readonly XmlSketch[], after: readonly XmlSketch[]): void {
    const there = queues(elements(parent), this.keyOf);
    const known = queues(before, ({ key }) => key);
    const added: { readonly sketch: XmlSketch; readonly behind: XmlElement | undefined }[] = [];
    let behind: XmlElement | undefined;
    for (const sketch of after) {
      const was = known.get(sketch.key)?.shift();
      const element = there.get(sketch.key)?.shift();
      if (element) {
        this.element(element, was ?? { ...sketch, attributes: {}, text: undefined, children: [] }, sketch);
        behind = element;
      } else added.push({ sketch, behind });
    }
    // Of several groups of one kind the first counts: the next would take its place.
    const gone = [...known.values()].flat().flatMap(({ key, name }) => {
      const left = there.get(key) ?? [];
      return left.splice(0, key === name ? left.length : 1);
    });
    const [only] = gone;
    const [fresh] = added;
    // One type in another's place.
    if (only && fresh && gone.length === 1 && added.length === 1 && isLeaf(only, fresh.sketch)) {
      this.#setText(only, fresh.sketch.text ?? '');
      return;
    }
    for (const element of gone)
      this.#remove(
        element,
        before.some(({ key }) => key === element.local),
      );
    this.#insert(parent, added);
  }

  #insert(
    parent: XmlElement,
    added: readonly { readonly sketch: XmlSketch; readonly behind: XmlElement | undefined }[],
  ): void {
    if (added.length === 0) return;
    const { contentStart, contentEnd, end } = parent.span;
    const layout = this.#layoutInside(parent);
    const textOf = (sketch: XmlSketch, eol = layout.eol) =>
      (eol === '' ? '' : eol + layout.indent) + sketchText(sketch, { ...layout, eol });
    const isEmpty = this.source.slice(contentStart, contentEnd).trim() === '';
    if (isEmpty) {
      const inside = added.map(({ sketch }) => textOf(sketch)).join('');
      const last = layout.eol === '' ? '' : layout.eol + (this.#indentOf(parent) ?? '');
      if (this.source.endsWith('/>', end) && contentStart === end)
        this.#edit(end - 2, end, `>${inside}${last}</${parent.name}>`);
      else this.#edit(contentStart, contentEnd, inside + last);
      return;
    }
    for (const { sketch, behind } of added) {
      const from = behind?.span.end ?? contentStart;
      const following = this.source.slice(from, contentEnd);
      const at = from + (REST_OF_LINE.exec(following)?.[0].trimEnd().length ?? 0);
      this.#edit(at, at, textOf(sketch, NEIGHBOUR.test(following) ? '' : layout.eol));
    }
  }

  /** `isPart`: the comments in it were about what it was a part of, and stay. */
  #remove(element: XmlElement, isPart: boolean): void {
    const { start, contentStart, contentEnd, end } = element.span;
    const inside = this.source.slice(contentStart, contentEnd);
    const comments = isPart ? (inside.match(ASIDES) ?? []).filter(isAside) : [];
    const indent = this.#indentOf(element);
    if (comments.length > 0) {
      this.#edit(start, end, comments.join(indent === undefined ? ' ' : this.#eol + indent));
      return;
    }
    const blanks = /^[ \t]*(?=\r?\n)/.exec(this.source.slice(end))?.[0];
    const isAlone = indent !== undefined && blanks !== undefined;
    if (isAlone) this.#edit(start - indent.length - this.#breakBefore(start - indent.length), end + blanks.length, '');
    else this.#edit(start, end, '');
  }

  #breakBefore(lineStart: number): number {
    return this.source.startsWith('\r\n', lineStart - 2) ? 2 : 1;
  }

  /** Blanks before an element that begins a line; undefined: something else stands there. */
  #indentOf({ span }: XmlElement): string | undefined {
    const lineStart = this.source.lastIndexOf('\n', span.start - 1) + 1;
    const indent = this.source.slice(lineStart, span.start);
    return lineStart > 0 && indent.trim() === '' ? indent : undefined;
  }

  #layoutInside(parent: XmlElement): XmlLayout {
    const [first] = elements(parent);
    const own = this.#indentOf(parent);
    const indent = first ? this.#indentOf(first) : own === undefined ? undefined : own + this.#unit;
    return { indent: indent ?? '', unit: this.#unit, eol: indent === undefined ? '' : this.#eol };
  }

  // ---------------------------------------------------------------------------------------------- what one element says

  #setText({ span, name }: XmlElement, text: string): void {
    const { contentStart, contentEnd, end } = span;
    if (this.source.endsWith('/>', end) && contentStart === end) {
      this.#edit(end - 2, end, `>${escaped(text)}</${name}>`);
      return;
    }
    let rest = escaped(text);
    let at = contentStart;
    for (const [piece] of this.source.slice(contentStart, contentEnd).matchAll(PIECES)) {
      if (!isAside(piece) && piece.trim() !== '') {
        const [, lead = '', trail = ''] = /^(\s*)[\s\S]*?(\s*)$/.exec(piece)!;
        this.#edit(at, at + piece.length, lead + rest + trail);
        rest = '';
      }
      at += piece.length;
    }
    if (rest !== '') this.#edit(contentStart, contentStart, rest);
  }

  #attributes(
    { span, name }: XmlElement,
    before: Readonly<Record<string, string>>,
    after: Readonly<Record<string, string>>,
  ): void {
    const added: Record<string, string> = { ...after };
    let at = span.start + 1 + name.length;
    const tag = this.source.slice(at, span.contentStart);
    for (const [whole, attribute = '', value = ''] of tag.matchAll(/\s+([^\s=]+)\s*=\s*("[^"]*"|'[^']*')/g)) {
      const end = at + whole.length;
      if (attribute in after) {
        delete added[attribute];
        if (before[attribute] !== after[attribute])
          this.#edit(end - value.length, end, `"${escaped(after[attribute] ?? '')}"`);
      } else if (attribute in before) this.#edit(at, end, '');
      at = end;
    }
    if (Object.keys(added).length > 0) this.#edit(at, at, attributesText(added));
  }
}

/** The items by their keys, in their order. */
function queues<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const item of items) {
    const queue = found.get(keyOf(item));
    if (queue) queue.push(item);
    else found.set(keyOf(item), [item]);
  }
  return found;
}

function isLeaf(element: XmlElement, { name, text }: XmlSketch): boolean {
  return text !== undefined && element.local === name && elements(element).length === 0;
}
