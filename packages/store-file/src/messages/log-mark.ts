import type { SliceEnd } from "./slice.ts";

/** The state of a message log at one moment, to return to when what came after it cannot be made durable. */
export interface LogMark {
  first: number;
  count: number;
  bytes: number;
  /** How many slices there were; the last one's end. */
  slices: number;
  readonly end: SliceEnd;
  /** The slice with the first message, and how many messages it had lost. */
  head: number;
  headRemoved: number;
}

export function logMark(): LogMark {
  return {
    first: 0,
    count: 0,
    bytes: 0,
    slices: 0,
    end: { last: 0, count: 0, bytes: 0, dataEnd: 0, lastMillis: 0, lastNanos: 0 },
    head: 0,
    headRemoved: 0,
  };
}

export function copyMark(from: LogMark, to: LogMark): void {
  to.first = from.first;
  to.count = from.count;
  to.bytes = from.bytes;
  to.slices = from.slices;
  to.head = from.head;
  to.headRemoved = from.headRemoved;
  const { end } = to;
  end.last = from.end.last;
  end.count = from.end.count;
  end.bytes = from.end.bytes;
  end.dataEnd = from.end.dataEnd;
  end.lastMillis = from.end.lastMillis;
  end.lastNanos = from.end.lastNanos;
}
