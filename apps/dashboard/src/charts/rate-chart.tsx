import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Series } from "../api/history.ts";
import type { Theme } from "../theme.ts";

export interface Line {
  readonly label: string;
  readonly series: Series;
  /** Which of the chart colours. */
  readonly colour: 1 | 2;
}

export interface RateChartProps {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly format: (value: number | undefined) => string;
  /** Which steps the axis has. */
  readonly unit: "count" | "bytes";
  readonly theme: Theme;
  readonly height?: number;
}

/** What a chart shows at the least: so it does not stretch two points over its width. */
const SPAN_SECONDS = 240;

/** Rates over the last minutes. All lines were noted at the same moments. */
export function RateChart({ title, lines, format, unit, theme, height = 168 }: RateChartProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>();
  const formatter = useRef(format);
  formatter.current = format;
  const labels = lines.map(({ label }) => label).join("|");

  // A chart is made again for another theme and other lines alone.
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const made = new uPlot(options(element, lines, height, formatter, unit), data(lines), element);
    chart.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
    };
  }, [theme, labels, height]);

  useEffect(() => chart.current?.setData(data(lines)));

  return (
    <figure class="card chart">
      <figcaption>
        <h3>{title}</h3>
        <ul class="legend">
          {lines.map(({ label, series, colour }) => (
            <li key={label}>
              <i class={`swatch c${colour}`} />
              {label} <b>{format(series.values.at(-1))}</b>
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={place} class="plot" style={{ height: `${height}px` }} />
    </figure>
  );
}

/** Steps between the lines of the vertical axis: one, two and five of each power of ten, and powers of two. */
const COUNT_STEPS: number[] = Array.from({ length: 11 }, (_, power) =>
  [1, 2, 5].map((step) => step * 10 ** power),
).flat();
const BYTE_STEPS: number[] = Array.from({ length: 48 }, (_, power) => 2 ** power);

/** Wall-clock seconds along, one column per line. */
function data(lines: readonly Line[]): uPlot.AlignedData {
  const base = Date.now() - performance.now();
  const times = (lines[0]?.series.times ?? []).map((at) => (base + at) / 1_000);
  return [times, ...lines.map(({ series }) => [...series.values])];
}

function options(
  element: HTMLElement,
  lines: readonly Line[],
  height: number,
  format: { readonly current: (value: number | undefined) => string },
  unit: RateChartProps["unit"],
): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--muted"),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: colour("--grid"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height,
    padding: [8, 28, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: {
      x: {
        time: true,
        range: (chart) => {
          const times = chart.data?.[0] ?? [];
          const end = times.at(-1) ?? Date.now() / 1_000;
          return [Math.min(times.at(0) ?? end, end - SPAN_SECONDS), end];
        },
      },
      y: { range: (_, _min, max) => [0, Math.max(max ?? 0, 1) * 1.1] },
    },
    axes: [
      { ...axis, size: 24, gap: 6, space: 72, values: (_, splits) => splits.map(clockTime) },
      {
        ...axis,
        size: 56,
        gap: 6,
        space: 32,
        incrs: unit === "bytes" ? BYTE_STEPS : COUNT_STEPS,
        values: (_, splits) => splits.map((value) => format.current(value)),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, colour: number }) => ({
        label,
        stroke: colour(`--chart-${number}`),
        // A second area would hide the first line.
        ...(number === 1 ? { fill: `${colour("--chart-1")}18` } : {}),
        width: 1.5,
        points: { show: false },
      })),
    ],
  };
}

function clockTime(seconds: number): string {
  return new Date(seconds * 1_000).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  });
}
