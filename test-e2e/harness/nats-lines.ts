/** What a NATS server says to a client, one line (with its payload) at a time. */
export type ServerLine =
  | { readonly kind: "info"; readonly info: Readonly<Record<string, unknown>> }
  | { readonly kind: "message"; readonly sid: string; readonly message: RawMessage }
  | { readonly kind: "ping" }
  | { readonly kind: "pong" }
  | { readonly kind: "ok" }
  | { readonly kind: "error"; readonly text: string };

export interface RawMessage {
  readonly subject: string;
  /** Empty when the message has none. */
  readonly reply: string;
  readonly payload: Buffer;
  /** The header block with its version line and final empty line; empty when the message has none. */
  readonly headers: Buffer;
}

export interface LineReader {
  /** Takes bytes as they come from the socket; calls back for each whole line. @throws Error on anything unknown */
  read(chunk: Buffer): void;
}

export function createLineReader(onLine: (line: ServerLine) => void): LineReader {
  let pending: Buffer = Buffer.alloc(0);
  return {
    read(chunk: Buffer): void {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      for (let end = pending.indexOf("\r\n"); end >= 0; end = pending.indexOf("\r\n")) {
        const text = pending.toString("latin1", 0, end);
        const start = end + 2;
        const [operation = "", ...args] = text.split(" ");
        if (operation === "MSG" || operation === "HMSG") {
          const size = Number(args.at(-1));
          if (pending.length < start + size + 2) return;
          const body = Buffer.from(pending.subarray(start, start + size));
          pending = pending.subarray(start + size + 2);
          onLine(toMessage(operation, args, body));
        } else {
          pending = pending.subarray(start);
          onLine(toLine(text));
        }
      }
    },
  };
}

function toMessage(operation: string, args: readonly string[], body: Buffer): ServerLine {
  const sizes = operation === "HMSG" ? 2 : 1;
  const [subject = "", sid = "", ...rest] = args;
  const reply = rest.length > sizes ? (rest[0] ?? "") : "";
  const headerSize = operation === "HMSG" ? Number(rest.at(-2)) : 0;
  return {
    kind: "message",
    sid,
    message: { subject, reply, headers: body.subarray(0, headerSize), payload: body.subarray(headerSize) },
  };
}

function toLine(text: string): ServerLine {
  if (text === "PING") return { kind: "ping" };
  if (text === "PONG") return { kind: "pong" };
  if (text === "+OK") return { kind: "ok" };
  if (text.startsWith("-ERR ")) return { kind: "error", text: text.slice(5) };
  if (text.startsWith("INFO ")) {
    const info: unknown = JSON.parse(text.slice(5));
    if (typeof info === "object" && info !== null)
      return { kind: "info", info: Object.fromEntries(Object.entries(info)) };
  }
  throw new Error(`the server sent a line that is no NATS protocol: ${JSON.stringify(text)}`);
}
