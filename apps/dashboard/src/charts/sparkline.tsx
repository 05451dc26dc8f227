import type { JSX } from "preact";
import type { Series } from "../api/history.ts";

const WIDTH = 88;
const HEIGHT = 22;
/** Points that fit. */
const POINTS = 44;

/** A rate of the last minute or two in a table's cell. */
export function Sparkline({ series, label }: { readonly series: Series; readonly label: string }): JSX.Element {
  const values = series.values.slice(-POINTS);
  const top = Math.max(...values, 1e-9);
  const y = (value: number): number => HEIGHT - 1.5 - (value / top) * (HEIGHT - 4);
  const x = (i: number): number => WIDTH - 1 - (values.length - 1 - i) * ((WIDTH - 2) / (POINTS - 1));
  const isFlat = values.every((value) => value === 0);
  const line = values
    .map((value, i) => `${x(i).toFixed(1)},${(isFlat ? HEIGHT - 1.5 : y(value)).toFixed(1)}`)
    .join(" ");
  return (
    <svg class="spark" width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      {values.length > 1 && !isFlat && (
        <polygon class="spark-area" points={`${x(0)},${HEIGHT} ${line} ${x(values.length - 1)},${HEIGHT}`} />
      )}
      {values.length > 1 && <polyline class={isFlat ? "spark-line flat" : "spark-line"} points={line} />}
    </svg>
  );
}
