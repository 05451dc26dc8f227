import { useEffect, useRef, useState } from "preact/hooks";
import { AnswerError, fetchJson } from "./fetch-json.ts";

/** What the latest questions brought. */
export interface Polled<T> {
  /** The latest answer; stays when a later question fails. */
  readonly data: T | undefined;
  /** Why the latest question failed; undefined when it did not. */
  readonly error: AnswerError | undefined;
}

/** Between two questions, once the first was answered. */
const POLL_MILLIS = 2_000;

/**
 * Asks an endpoint again and again as long as the page is looked at. `onData` sees each answer once, in order, and when it
 * came, in milliseconds of `performance.now()`.
 */
export function usePolled<T>(
  path: string | undefined,
  options: { readonly onData?: (data: T, at: number) => void; readonly everyMillis?: number } = {},
): Polled<T> {
  const [state, setState] = useState<Polled<T> & { readonly path: string | undefined }>({ ...NOTHING, path });
  const onData = useRef(options.onData);
  onData.current = options.onData;
  const everyMillis = options.everyMillis ?? POLL_MILLIS;

  useEffect(() => {
    if (path === undefined) return undefined;
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      try {
        const data = await fetchJson<T>(path, gone.signal);
        onData.current?.(data, performance.now());
        setState({ data, error: undefined, path });
      } catch (error) {
        if (gone.signal.aborted) return;
        const failure = error instanceof AnswerError ? error : new AnswerError(0, String(error));
        setState((before) => ({ ...(before.path === path ? before : NOTHING), error: failure, path }));
      }
      if (!gone.signal.aborted) timer = setTimeout(() => void ask(), document.hidden ? everyMillis * 5 : everyMillis);
    };
    void ask();
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [path, everyMillis]);

  // An answer about something else is none.
  return state.path === path ? state : NOTHING;
}

const NOTHING: Polled<never> = { data: undefined, error: undefined };
