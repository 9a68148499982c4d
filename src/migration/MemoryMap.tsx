/** A guest's memory as squares, one for each page, in the colour of the round that sent it. */
import { useEffect, useRef, useState } from 'react';
import { prefersReducedMotion, useTheme } from '../ui/theme';
import { fade, type MapKey, mapOf, type MemoryMap as PageMap } from './maps';
import { type ClassCounts, classOf, countClasses, mixed, pageClasses, pageColours, pixelOf } from './pageClasses';
import { text } from './text';

/** The words beside it follow so often, ms. */
const COUNT_MS = 250;

interface Props {
  readonly mapKey: MapKey;
  readonly role: 'source' | 'destination';
  readonly host: string;
  readonly pages: number;
  readonly lastRound: number | undefined;
}

export function MemoryMap({ mapKey, role, host, pages, lastRound }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme((state) => state.theme);
  const counts = useCounts(mapKey, lastRound);
  const columns = columnsFor(pages);
  const rows = Math.ceil(pages / columns);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return undefined;
    const painter = new Painter(context, columns, rows, theme, lastRound);
    let frame = requestAnimationFrame(function next() {
      const map = mapOf(mapKey);
      if (map) painter.paint(map);
      frame = requestAnimationFrame(next);
    });
    return () => cancelAnimationFrame(frame);
  }, [mapKey, columns, rows, theme, lastRound]);
  const label = text.map(text[role], host, pages);
  return (
    <div className="memory-map">
      <canvas ref={canvas} width={columns} height={rows} role="img" aria-label={label} title={text.mapHint} />
      <ul className="map-legend" aria-label={label}>
        {pageClasses.map((name) => {
          const count = counts[name];
          if (!count) return null;
          const word = role === 'destination' && name === 'none' ? text.classesAtDestination.none : text.classes[name];
          return (
            <li key={name}>
              <span className="swatch" style={{ background: pageColours[theme][name] }} aria-hidden="true" />
              {word}: <span className="value">{text.pages(count)}</span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** About twice as wide as high, and rows that end at round numbers of frames. */
export function columnsFor(pages: number): number {
  return 64 * Math.max(1, Math.ceil(Math.sqrt(2 * pages) / 64));
}

function useCounts(key: MapKey, lastRound: number | undefined): ClassCounts {
  const [counts, setCounts] = useState<ClassCounts>(() => countsOf(key, lastRound));
  useEffect(() => {
    let version = -1;
    const count = () => {
      const map = mapOf(key);
      if (!map || map.version === version) return;
      version = map.version;
      setCounts(countsOf(key, lastRound));
    };
    count();
    const timer = setInterval(count, COUNT_MS);
    return () => clearInterval(timer);
  }, [key, lastRound]);
  return counts;
}

function countsOf(key: MapKey, lastRound: number | undefined): ClassCounts {
  const map = mapOf(key);
  return map ? countClasses(map.codes, lastRound) : {};
}

class Painter {
  readonly #image: ImageData;
  readonly #pixels: Uint32Array;
  /** A pixel for each code. */
  readonly #colours: Uint32Array;
  readonly #flash: number;
  readonly #isStill = prefersReducedMotion();
  #version = -1;
  #wasGlowing = false;

  constructor(
    private readonly context: CanvasRenderingContext2D,
    columns: number,
    rows: number,
    theme: 'dark' | 'light',
    lastRound: number | undefined,
  ) {
    this.#image = context.createImageData(columns, rows);
    this.#pixels = new Uint32Array(this.#image.data.buffer);
    const colours = pageColours[theme];
    this.#colours = Uint32Array.from({ length: 256 }, (_, code) => pixelOf(colours[classOf(code, lastRound)]));
    this.#flash = pixelOf(theme === 'dark' ? '#ff5a4f' : '#e0180c');
  }

  paint(map: PageMap): void {
    const isGlowing = map.glowing.size > 0 && !this.#isStill;
    if (map.version === this.#version && !isGlowing && !this.#wasGlowing) return;
    this.#version = map.version;
    this.#wasGlowing = isGlowing;
    const colours = this.#colours;
    for (let pfn = 0; pfn < map.codes.length; pfn++) this.#pixels[pfn] = colours[map.codes[pfn]!]!;
    if (isGlowing)
      for (const [pfn, share] of fade(map)) this.#pixels[pfn] = mixed(colours[map.codes[pfn]!]!, this.#flash, share);
    this.context.putImageData(this.#image, 0, 0);
  }
}
