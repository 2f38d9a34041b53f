/** The charts: uPlot with the page's colours, and a legend that tells the values below the pointer, or else the last ones. */
import uPlot from 'uplot';
import { element, setText } from './dom.js';
import type { Series } from './model.js';

interface Curve {
  readonly label: string;
  /** A colour of style.css. */
  readonly color: `--${string}`;
  readonly values: (series: Series) => readonly (number | null)[];
  readonly format: (value: number) => string;
  /** On a scale of its own, at the right. */
  readonly isRight?: boolean;
}

export interface ChartOptions {
  readonly title: string;
  readonly hint: string;
  readonly curves: readonly Curve[];
  /** The curves lie on top of each other; their sum is the upper edge. */
  readonly isStacked: boolean;
  /** Whether values are whole numbers. */
  readonly isWhole: boolean;
}

const HEIGHT = 150;
const WHOLE_STEPS = [1, 10, 100, 1000, 10_000, 100_000].flatMap((step) => [step, 2 * step, 5 * step]);
const FONT = '11px system-ui, sans-serif';

export class Chart {
  readonly node: HTMLElement;
  readonly #options: ChartOptions;
  readonly #plotNode = element('div', { className: 'plot' });
  readonly #legend: HTMLElement[];
  #plot: uPlot | undefined;
  #values: (readonly (number | null)[])[] = [];
  /** The seconds that are shown. */
  #span = 300;

  constructor(options: ChartOptions) {
    this.#options = options;
    this.#legend = options.curves.map(() => element('b'));
    const keys = options.curves.map(({ label, color }, index) => {
      const swatch = element('i', { className: 'swatch' });
      swatch.style.background = `var(${color})`;
      return element('li', {}, swatch, label, this.#legend[index] ?? '');
    });
    this.node = element(
      'figure',
      { className: 'card chart' },
      element('figcaption', { title: options.hint }, options.title),
      element('ul', { className: 'legend' }, ...keys),
      this.#plotNode,
    );
    new ResizeObserver(() => this.#resize()).observe(this.#plotNode);
  }

  show(series: Series, span: number): void {
    this.#span = span;
    this.#values = this.#options.curves.map(({ values }) => values(series));
    const data = [series.at, ...this.#edges()] as uPlot.AlignedData;
    this.#plot ??= this.#make();
    this.#plot.setData(data);
    this.#tell();
  }

  /** The colours have changed. */
  repaint(): void {
    const data = this.#plot?.data;
    this.#plot?.destroy();
    this.#plot = undefined;
    if (!data) return;
    this.#plot = this.#make();
    this.#plot.setData(data);
  }

  #edges(): (number | null)[][] {
    if (!this.#options.isStacked) return this.#values.map((values) => [...values]);
    // From the bottom upwards, so that each curve's edge is the sum of those below it and its own.
    const sums: number[] = [];
    return this.#values.map((values) =>
      values.map((value, index) => {
        if (value === null) return null;
        return (sums[index] = (sums[index] ?? 0) + value);
      }),
    );
  }

  #make(): uPlot {
    const { curves, isStacked, isWhole } = this.#options;
    const style = getComputedStyle(document.documentElement);
    const color = (name: string): string => style.getPropertyValue(name).trim();
    const axis = {
      stroke: color('--faint'),
      font: FONT,
      grid: { stroke: color('--line'), width: 1 },
      ticks: { show: false },
    };
    const series = curves.map((curve, index): uPlot.Series => {
      const stroke = color(curve.color);
      return {
        label: curve.label,
        scale: curve.isRight ? 'right' : 'y',
        stroke,
        // The edge of a layer without height would hide those below it.
        width: isStacked ? 0 : 1.5,
        points: { show: false },
        ...(curve.isRight || (isStacked && index > 0) ? {} : { fill: `${stroke}${isStacked ? 'a6' : '26'}` }),
      };
    });
    const right = curves.find(({ isRight }) => isRight);
    const plot = new uPlot(
      {
        width: Math.max(1, this.#plotNode.clientWidth),
        height: HEIGHT,
        padding: [8, right ? 0 : 16, 0, 0],
        legend: { show: false },
        cursor: {
          y: false,
          sync: { key: 'past' },
          drag: { x: false, y: false },
          points: { size: 6 },
        },
        scales: {
          x: { time: true, range: (_plot, _min, max) => [max - this.#span, max] },
          y: { range: (_plot, _min, max) => [0, ceiling(max)] },
          right: { range: (_plot, _min, max) => [0, ceiling(max)] },
        },
        axes: [
          { ...axis, size: 24, grid: { show: false }, space: 80, values: times },
          {
            ...axis,
            size: 42,
            values: labels(curves[0]?.format),
            space: 32,
            ...(isWhole ? { incrs: WHOLE_STEPS } : {}),
          },
          ...(right
            ? [
                {
                  ...axis,
                  scale: 'right',
                  side: 1 as const,
                  size: 52,
                  grid: { show: false },
                  values: labels(right.format),
                  space: 32,
                },
              ]
            : []),
        ],
        series: [{}, ...series],
        bands: isStacked
          ? curves.slice(1).map((curve, index) => ({
              series: [index + 2, index + 1] as uPlot.Band.Bounds,
              fill: `${color(curve.color)}a6`,
            }))
          : [],
        hooks: {
          setCursor: [() => this.#tell()],
        },
      },
      [[], ...curves.map(() => [])] as uPlot.AlignedData,
      this.#plotNode,
    );
    return plot;
  }

  #resize(): void {
    const width = this.#plotNode.clientWidth;
    if (width > 0 && this.#plot && this.#plot.width !== width) this.#plot.setSize({ width, height: HEIGHT });
  }

  #tell(): void {
    const index = this.#plot?.cursor.idx ?? -1;
    for (const [number, { format }] of this.#options.curves.entries()) {
      const values = this.#values[number] ?? [];
      const value = (index >= 0 ? values[index] : values.at(-1)) ?? null;
      const node = this.#legend[number];
      if (node) setText(node, value === null ? '–' : format(value));
    }
  }
}

/** An empty chart has a scale, too, and a full one some air at its top. */
function ceiling(max: number | null): number {
  return max === null || max <= 0 ? 1 : max * 1.1;
}

const clock = new Intl.DateTimeFormat('en', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
});

/** Whole minutes need no seconds. */
function times(_plot: uPlot, moments: number[]): string[] {
  return moments.map((moment) => clock.format(moment * 1000).replace(/:00$/, ''));
}

function labels(format: ((value: number) => string) | undefined) {
  return (_plot: uPlot, values: number[]): string[] =>
    values.map((value) => format?.(value) ?? String(value));
}
