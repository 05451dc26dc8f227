import type { ChunkHandler, LoadConnection } from "./connection.ts";

const CR = 0x0d;
const LF = 0x0a;
const M = 0x4d;
const P = 0x50;
const ZERO = 0x30;

/** Takes one message's payload, `bytes[start, end)`. */
export type PayloadHandler = (bytes: Uint8Array, start: number, end: number) => void;

/**
 * Scans a chunk for messages of one subscription. The head of every such message, `MSG <subject> <sid> `, is the same,
 * so it is skipped rather than read; the size follows. Anything else (PING, PONG, a heartbeat) takes the slow way.
 * @param head the head up to and including the blank before the size
 * @param other called with the whole line, and the payload if it is another message
 */
export function createScanner(head: string, payload: PayloadHandler, other: (line: string) => void): ChunkHandler {
  const headLength = head.length;
  // Where this head differs from every other subject that the connection hears: in the first letter of the subject.
  const mark = head.charCodeAt(4);

  return (bytes, end) => {
    let position = 0;
    while (position + headLength < end) {
      if (bytes[position] !== M || bytes[position + 4] !== mark) {
        const next = skipOther(bytes, position, end, other);
        if (next === position) break;
        position = next;
        continue;
      }
      let digits = position + headLength;
      let size = 0;
      let byte = bytes[digits]!;
      while (byte !== CR && digits < end) {
        size = size * 10 + byte - ZERO;
        byte = bytes[++digits]!;
      }
      const start = digits + 2;
      const next = start + size + 2;
      if (next > end) return position;
      payload(bytes, start, start + size);
      position = next;
    }
    // The short lines at the end of a chunk, such as a PONG.
    while (position < end && bytes[position] !== M) {
      const next = skipOther(bytes, position, end, other);
      if (next === position) break;
      position = next;
    }
    return position;
  };
}

/** Where the next line starts, or `position` when this one is not whole yet. */
function skipOther(bytes: Uint8Array, position: number, end: number, other: (line: string) => void): number {
  const lineEnd = bytes.indexOf(LF, position);
  if (lineEnd < 0 || lineEnd >= end) return position;
  const line = Buffer.from(bytes.buffer, bytes.byteOffset + position, lineEnd - 1 - position).toString("latin1");
  let next = lineEnd + 1;
  if (bytes[position] === M) {
    next += Number(line.slice(line.lastIndexOf(" ") + 1)) + 2;
    if (next > end) return position;
  }
  other(line);
  return next;
}

/** What a connection does with lines that are no messages of its subscription. */
export function answerOther(connection: LoadConnection, fail: (error: Error) => void): (line: string) => void {
  return (line) => {
    if (line.charCodeAt(0) === P && line === "PING") {
      connection.write(Buffer.from("PONG\r\n"));
    } else if (line === "PONG") {
      connection.pong();
    } else if (line.startsWith("MSG HB.")) {
      // A heartbeat: MSG HB.<client> <sid> <reply> 0
      const reply = line.split(" ")[3];
      connection.write(Buffer.from(`PUB ${reply} 0\r\n\r\n`));
    } else if (!line.startsWith("INFO ")) {
      fail(new Error(`unexpected line from the server: ${line}`));
    }
  };
}
