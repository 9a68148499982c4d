import { useEffect, useRef } from 'react';
import type { PolicyBinaryPart } from '../../../workers/contract';
import { useBench } from '../bench';
import { text } from '../text';
import { Broken } from './Broken';

/** Beyond this only the first parts are drawn. */
const MOST = 1500;
/** Of a long row; that of the selected label is shown to its end. */
const SHOWN_BYTES = 48;

export function BinaryView() {
  const binary = useBench((state) => state.analysis?.policy?.binary);
  const isPolicy = useBench((state) => state.analysis?.policy !== undefined);
  const selected = useBench((state) => state.label);
  const table = useRef<HTMLTableElement>(null);
  useEffect(() => {
    if (selected !== undefined) table.current?.querySelector('.selected')?.scrollIntoView({ block: 'nearest' });
  }, [selected]);
  if (!binary) return <Broken>{isPolicy ? text.notCompiled : text.broken}</Broken>;
  const count = binary.parts.length;
  return (
    <table className="binary" aria-label={text.binary.label} ref={table}>
      <caption>
        {text.binary.size(binary.bytes.length)}
        {count > MOST && ` ${text.binary.more(MOST, count)}`}
      </caption>
      <thead>
        <tr>
          {text.binary.columns.map((title) => (
            <th key={title} scope="col">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {binary.parts.slice(0, MOST).map((part) => (
          <Part key={part.offset} part={part} bytes={binary.bytes} isSelected={isAbout(part, selected)} />
        ))}
      </tbody>
    </table>
  );
}

function isAbout({ label }: PolicyBinaryPart, selected: string | undefined): boolean {
  return label !== undefined && label === selected;
}

function Part(props: { part: PolicyBinaryPart; bytes: Uint8Array; isSelected: boolean }) {
  const { part, bytes, isSelected } = props;
  const { select } = useBench.getState();
  const shown = isSelected ? part.length : Math.min(part.length, SHOWN_BYTES);
  return (
    <tr className={isSelected ? 'selected' : undefined}>
      <td>{part.offset.toString(16).padStart(3, '0')}</td>
      <td className="hex">
        {hexLines(bytes.subarray(part.offset, part.offset + shown))}
        {part.length > shown && ' …'}
      </td>
      <td>
        {part.line === undefined ? (
          part.what
        ) : (
          <button type="button" className="plain" onClick={() => select(part.label, part.line)}>
            {part.what}
          </button>
        )}
      </td>
      <td className="quiet">{part.value}</td>
    </tr>
  );
}

/** Eight bytes a line, as two words of the file. */
function hexLines(bytes: Uint8Array): string {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
  return hex.map((byte, at) => (at === 0 ? '' : at % 8 === 0 ? '\n' : at % 4 === 0 ? '  ' : ' ') + byte).join('');
}
