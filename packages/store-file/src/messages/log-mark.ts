import type { SliceEnd } from "./slice.ts";

/** The state of a message log at one moment, to return to when what came after it cannot be made durable. */
export interface LogMark extends SliceEnd {
  first: number;
  count: number;
  bytes: number;
  /** How many slices there were; the last one's end is in the other fields. */
  slices: number;
  /** The slice with the first message, and how many messages it had lost. */
  head: number;
  headRemoved: number;
}

/** Before the first message. */
export function logMark(): LogMark {
  return {
    first: 0,
    count: 0,
    bytes: 0,
    slices: 0,
    sliceLast: 0,
    sliceCount: 0,
    sliceBytes: 0,
    dataEnd: 0,
    head: 0,
    headRemoved: 0,
  };
}
