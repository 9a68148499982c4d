import { type MouseEvent, useEffect, useRef } from 'react';
import type { PolicyReading } from '../../../workers/contract';
import { useTheme } from '../../ui/theme';
import { text } from '../text';
import { SHARE, TOGETHER } from './bits';

interface Props {
  readonly reading: PolicyReading;
  readonly onChoose: (cell: { readonly row: number; readonly column: number }) => void;
}

/** The whole matrix of a large policy as a picture, a few pixels a cell; the table below is its twin, part by part. */
export function MatrixOverview({ reading, onChoose }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme((state) => state.theme);
  const { labels, vmLabels, cells } = reading;
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!canvas.current || !context) return;
    const colour = (name: string) => rgb(context, cssColour(canvas.current!, name));
    // Read anew with each theme.
    const colours = { theme, apart: colour('--well'), shares: colour('--good'), excluded: colour('--bad') };
    const image = context.createImageData(labels.length, vmLabels);
    cells.forEach((bits, at) => {
      const isVm = at % labels.length < vmLabels;
      const kind = bits & SHARE ? 'shares' : isVm && !(bits & TOGETHER) ? 'excluded' : 'apart';
      image.data.set(colours[kind], 4 * at);
    });
    context.putImageData(image, 0, 0);
  }, [labels, vmLabels, cells, theme]);
  const choose = (event: MouseEvent<HTMLCanvasElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * labels.length);
    const row = Math.floor(((event.clientY - box.top) / box.height) * vmLabels);
    if (labels[column] && row < vmLabels) onChoose({ row, column });
  };
  return (
    <canvas
      ref={canvas}
      className="matrix-overview"
      role="img"
      aria-label={text.matrix.overview(vmLabels, labels.length - vmLabels, countShared(reading))}
      title={text.matrix.overviewHint}
      width={labels.length}
      height={vmLabels}
      onClick={choose}
    />
  );
}

/** Pairs of different domain labels that may share. */
function countShared({ labels, vmLabels, cells }: PolicyReading): number {
  let count = 0;
  for (let row = 0; row < vmLabels; row += 1)
    for (let column = row + 1; column < vmLabels; column += 1)
      if (cells[row * labels.length + column]! & SHARE) count += 1;
  return count;
}

function cssColour(element: Element, name: string): string {
  return getComputedStyle(element).getPropertyValue(name).trim();
}

/** A colour as four bytes, by the canvas's own reading of it. */
function rgb(context: CanvasRenderingContext2D, colour: string): Uint8ClampedArray {
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  return context.getImageData(0, 0, 1, 1).data;
}
