/** The state of a message log at one moment, to return to when what came after it cannot be made durable. */
export interface LogMark {
  first: number;
  last: number;
  count: number;
  bytes: number;
}

export function logMark(): LogMark {
  return { first: 0, last: 0, count: 0, bytes: 0 };
}

export function copyMark(from: LogMark, to: LogMark): void {
  to.first = from.first;
  to.last = from.last;
  to.count = from.count;
  to.bytes = from.bytes;
}
