/** How long a step of a scenario may take before it counts as not happening. Far above what any step needs. */
export const STEP_MILLIS = 10_000;

export interface TakeOptions<T> {
  /** Which item to take; without it, the first. */
  readonly where?: (item: T) => boolean;
  /** Deadline in milliseconds; {@link STEP_MILLIS} by default. */
  readonly within?: number;
  /** What is awaited, for the failure's text. */
  readonly what?: string;
}

/** Things that arrive, and tests that await them: an event is never missed because it came before it was awaited. */
export interface Mailbox<T> {
  /** Everything that ever arrived, in order, taken or not. */
  readonly all: readonly T[];
  /** What arrived and was not taken, in order. */
  readonly untaken: readonly T[];
  push(item: T): void;
  /** Nothing more will come: whoever waits, now or later, fails with `reason`. */
  close(reason: string): void;
  /** Takes the first matching item, waiting for it if it is not there. Fails at the deadline, saying what came instead. */
  take(options?: TakeOptions<T>): Promise<T>;
  /** Takes `count` matching items, in order of arrival. The deadline is for all of them together. */
  takeMany(count: number, options?: TakeOptions<T>): Promise<T[]>;
  /** Hands everything that nobody took, and everything to come, to `handle` at once; `ended` when the mailbox closes. */
  forward(handle: (item: T) => void, ended?: (reason: string) => void): void;
}

interface Waiter<T> {
  readonly where: (item: T) => boolean;
  readonly resolve: (item: T) => void;
  readonly reject: (error: Error) => void;
}

/** @param name what the mailbox holds, for failures' texts. */
export function createMailbox<T>(name: string): Mailbox<T> {
  const all: T[] = [];
  const untaken: T[] = [];
  const waiters: Waiter<T>[] = [];
  let closedBecause: string | undefined;
  let sink: { readonly handle: (item: T) => void; readonly ended: (reason: string) => void } | undefined;

  const failure = (what: string, why: string): Error =>
    new Error(`${name}: waited for ${what}, ${why}; ${describe(all)}`);

  const takeNow = (where: (item: T) => boolean): { readonly item: T } | undefined => {
    const index = untaken.findIndex(where);
    if (index < 0) return undefined;
    const [item] = untaken.splice(index, 1);
    return item === undefined ? undefined : { item };
  };

  const take = (options: TakeOptions<T> = {}): Promise<T> => {
    const where = options.where ?? (() => true);
    const what = options.what ?? (options.where === undefined ? "the next item" : "a matching item");
    const found = takeNow(where);
    if (found !== undefined) return Promise.resolve(found.item);
    if (closedBecause !== undefined) return Promise.reject(failure(what, `but ${closedBecause}`));
    const within = options.within ?? STEP_MILLIS;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        waiters.splice(waiters.indexOf(waiter), 1);
        reject(failure(what, `but it did not come within ${within} ms`));
      }, within);
      const waiter: Waiter<T> = {
        where,
        resolve: (item) => {
          clearTimeout(timer);
          resolve(item);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(failure(what, `but ${error.message}`));
        },
      };
      waiters.push(waiter);
    });
  };

  return {
    all,
    untaken,
    take,
    push(item: T): void {
      all.push(item);
      const index = waiters.findIndex((waiter) => waiter.where(item));
      const waiter = waiters[index];
      if (waiter !== undefined) {
        waiters.splice(index, 1);
        waiter.resolve(item);
      } else if (sink !== undefined) {
        sink.handle(item);
      } else {
        untaken.push(item);
      }
    },
    close(reason: string): void {
      if (closedBecause !== undefined) return;
      closedBecause = reason;
      for (const waiter of waiters.splice(0)) waiter.reject(new Error(reason));
      sink?.ended(reason);
    },
    forward(handle: (item: T) => void, ended: (reason: string) => void = () => {}): void {
      sink = { handle, ended };
      for (const item of untaken.splice(0)) handle(item);
      if (closedBecause !== undefined) ended(closedBecause);
    },
    async takeMany(count: number, options: TakeOptions<T> = {}): Promise<T[]> {
      const deadline = Date.now() + (options.within ?? STEP_MILLIS);
      const taken: T[] = [];
      while (taken.length < count) {
        const what = `${options.what ?? "items"} (${taken.length + 1} of ${count})`;
        taken.push(await take({ ...options, within: Math.max(1, deadline - Date.now()), what }));
      }
      return taken;
    },
  };
}

/** How many of the arrived items a failure's text shows. */
const SHOWN = 5;

function describe(items: readonly unknown[]): string {
  if (items.length === 0) return "nothing came";
  const last = items.slice(-SHOWN).map((item) => shorten(typeof item === "string" ? item : toText(item)));
  return `${items.length} came, the last: ${last.join(" | ")}`;
}

function toText(item: unknown): string {
  return (
    JSON.stringify(item, (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value)) ??
    String(item)
  );
}

function shorten(text: string): string {
  return text.length <= 300 ? text : `${text.slice(0, 300)}…`;
}

/** Settles as `promise` does, or fails at the deadline with a text that says what was awaited. */
export async function within<T>(millis: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`waited for ${what}, but it did not come within ${millis} ms`)), millis);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
