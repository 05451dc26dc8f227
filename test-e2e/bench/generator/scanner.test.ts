import { describe, expect, it } from "vitest";
import type { ChunkHandler } from "./connection.ts";
import { createScanner } from "./scanner.ts";

const HEAD = "MSG _INBOX.abc 3 ";
const STREAM = [
  "MSG _INBOX.abc 3 5\r\nhello\r\n",
  "PING\r\n",
  "MSG _INBOX.abc 3 0\r\n\r\n",
  "MSG HB.abc 1 _INBOX.reply 0\r\n\r\n",
  `MSG _INBOX.abc 3 12\r\n${"x".repeat(12)}\r\n`,
  "PONG\r\n",
].join("");

/** Hands over the stream in two parts, as a connection does: what was not consumed comes again with the rest. */
function scanCutAt(cut: number): { readonly payloads: string[]; readonly others: string[] } {
  const payloads: string[] = [];
  const others: string[] = [];
  const scan: ChunkHandler = createScanner(
    HEAD,
    (bytes, start, end) => payloads.push(Buffer.from(bytes.slice(start, end)).toString()),
    (line) => others.push(line),
  );
  const bytes = Buffer.from(STREAM);
  const consumed = scan(bytes.subarray(0, cut), cut);
  const rest = bytes.subarray(consumed);
  expect(scan(rest, rest.length)).toBe(rest.length);
  return { payloads, others };
}

describe("the load generator's scanner", () => {
  it("finds every message and every other line, wherever a chunk ends", () => {
    for (let cut = 0; cut <= STREAM.length; cut++) {
      expect(scanCutAt(cut)).toEqual({
        payloads: ["hello", "", "x".repeat(12)],
        others: ["PING", "MSG HB.abc 1 _INBOX.reply 0", "PONG"],
      });
    }
  });
});
