/** Values of something over time; they outlive the view that shows them. */
export interface Series {
  /** Milliseconds of `performance.now()`. */
  readonly times: number[];
  readonly values: number[];
}

/** Values kept of one series: four minutes at one every two seconds. */
const VALUES_MAX = 120;
/** Series kept: those that were added to last. */
const SERIES_MAX = 400;

const all = new Map<string, { counter: number; at: number; readonly series: Series }>();

/** Notes what a counter that only grows stands at; the series is of its growth per second. */
export function noteCounter(key: string, counter: number, at: number): void {
  const known = all.get(key);
  if (known === undefined) {
    all.set(key, { counter, at, series: { times: [], values: [] } });
    // Maps keep the order of insertion: the first is the one that was not touched for longest.
    for (const oldest of all.keys()) {
      if (all.size <= SERIES_MAX) break;
      all.delete(oldest);
    }
    return;
  }
  const seconds = (at - known.at) / 1_000;
  if (seconds < 0.2) return;
  // A counter that went back began anew.
  const growth = counter < known.counter ? counter : counter - known.counter;
  push(known.series, at, growth / seconds);
  all.delete(key);
  all.set(key, { counter, at, series: known.series });
}

function push({ times, values }: Series, at: number, value: number): void {
  times.push(at);
  values.push(value);
  if (times.length > VALUES_MAX) {
    times.shift();
    values.shift();
  }
}

const NONE: Series = { times: [], values: [] };

export function seriesOf(key: string): Series {
  return all.get(key)?.series ?? NONE;
}

/** The latest growth per second; undefined until it is known. */
export function latestOf(key: string): number | undefined {
  return seriesOf(key).values.at(-1);
}
