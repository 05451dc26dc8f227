import { connect, type Socket } from "node:net";
import { createMailbox, type Mailbox, STEP_MILLIS, within } from "./mailbox.ts";
import { createLineReader, type RawMessage, type ServerLine } from "./nats-lines.ts";
import type { Stage } from "./stage.ts";

export type { RawMessage } from "./nats-lines.ts";

export interface RawSubscription {
  readonly sid: string;
  readonly subject: string;
  readonly messages: Mailbox<RawMessage>;
  /** Sends UNSUB; with `max`, after that many messages in all. */
  unsubscribe(max?: number): void;
}

/**
 * A NATS client on a plain socket that can send anything, right or wrong. It shares no code with the server or with
 * any client library.
 */
export interface RawClient {
  /** The first INFO. */
  readonly info: Readonly<Record<string, unknown>>;
  /** The texts of `-ERR` lines, with their quotes. */
  readonly errors: Mailbox<string>;
  /** `+OK` lines, of a verbose connection. */
  readonly oks: Mailbox<"+OK">;
  /** Settles when the server or we have closed the connection. */
  readonly closed: Promise<void>;
  /** Sends these bytes as they are. */
  write(bytes: string | Uint8Array): void;
  /** Sends these bytes in pieces of their own on the wire, one write after the other. */
  writePieces(pieces: Iterable<Uint8Array>): Promise<void>;
  publish(subject: string, payload: string | Uint8Array, reply?: string): void;
  /** Sends SUB and waits until the server has seen it. */
  subscribe(subject: string, queue?: string): Promise<RawSubscription>;
  /** Publishes with a reply subject of its own and takes the first answer. */
  request(subject: string, payload: string | Uint8Array, withinMillis?: number): Promise<RawMessage>;
  /** PING and its PONG: everything sent before has been handled. */
  flush(withinMillis?: number): Promise<void>;
  /** Waits until the server has closed the connection. */
  untilClosed(withinMillis?: number): Promise<void>;
  /** Cuts the connection at once, whatever is under way. */
  vanish(): void;
}

export interface RawClientOptions {
  readonly port: number;
  /** Fields of CONNECT beside the usual ones; false to send no CONNECT at all. */
  readonly connect?: Readonly<Record<string, unknown>> | false;
  /** Answer PING with PONG; true by default. */
  readonly answerPings?: boolean;
}

let clients = 0;

/** A subject for answers that nobody else uses. */
export function newInbox(): string {
  return `_INBOX.raw${process.pid}x${(inboxes++).toString(36)}`;
}
let inboxes = 0;

/** Connects, and (unless told otherwise) sends CONNECT and waits until the server has answered a PING. */
export async function connectRaw(stage: Stage, options: RawClientOptions): Promise<RawClient> {
  const name = `raw client ${++clients}`;
  const errors = createMailbox<string>(`${name}: errors`);
  const oks = createMailbox<"+OK">(`${name}: +OK`);
  const infos = createMailbox<Readonly<Record<string, unknown>>>(`${name}: INFO`);
  const pongs = createMailbox<"PONG">(`${name}: PONG`);
  const subscriptions = new Map<string, RawSubscription>();

  const socket = connect({ port: options.port, host: "127.0.0.1", noDelay: true });
  stage.defer(() => {
    socket.destroy();
  });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", (error) => endAll(`the connection failed: ${error.message}`));
  socket.once("close", () => endAll("the connection was closed"));

  const endAll = (reason: string): void => {
    for (const mailbox of [errors, oks, infos, pongs]) mailbox.close(reason);
    for (const { messages } of subscriptions.values()) messages.close(reason);
  };
  const onLine = (line: ServerLine): void => {
    switch (line.kind) {
      case "info":
        infos.push(line.info);
        break;
      case "message":
        subscriptions.get(line.sid)?.messages.push(line.message);
        break;
      case "ping":
        if (options.answerPings !== false) socket.write("PONG\r\n");
        break;
      case "pong":
        pongs.push("PONG");
        break;
      case "ok":
        oks.push("+OK");
        break;
      case "error":
        errors.push(line.text);
        break;
    }
  };
  const reader = createLineReader(onLine);
  socket.on("data", (chunk) => {
    try {
      reader.read(chunk);
    } catch (error) {
      endAll(String(error));
      socket.destroy();
    }
  });

  const info = await infos.take({ what: "INFO" });
  const write = (bytes: string | Uint8Array): void => {
    socket.write(bytes);
  };
  const flush = async (withinMillis: number = STEP_MILLIS): Promise<void> => {
    write("PING\r\n");
    await pongs.take({ within: withinMillis, what: "the PONG of a flush" });
  };
  const publish = (subject: string, payload: string | Uint8Array, reply = ""): void => {
    write(pub(subject, payload, reply));
  };
  const subscribe = async (subject: string, queue = ""): Promise<RawSubscription> => {
    const sid = String(subscriptions.size + 1);
    const subscription: RawSubscription = {
      sid,
      subject,
      messages: createMailbox(`${name}: messages on ${subject}`),
      unsubscribe: (max) => write(max === undefined ? `UNSUB ${sid}\r\n` : `UNSUB ${sid} ${max}\r\n`),
    };
    subscriptions.set(sid, subscription);
    write(`SUB ${subject} ${queue === "" ? "" : `${queue} `}${sid}\r\n`);
    await flush();
    return subscription;
  };

  if (options.connect !== false) {
    write(`CONNECT ${JSON.stringify({ verbose: false, pedantic: false, name, ...options.connect })}\r\n`);
    await flush();
  }
  return {
    info,
    errors,
    oks,
    closed,
    write,
    writePieces: (pieces) => writePieces(socket, pieces),
    publish,
    subscribe,
    flush,
    async request(subject, payload, withinMillis = STEP_MILLIS): Promise<RawMessage> {
      const inbox = await subscribe(newInbox());
      publish(subject, payload, inbox.subject);
      const answer = await inbox.messages.take({ within: withinMillis, what: `an answer to a request on ${subject}` });
      inbox.unsubscribe();
      return answer;
    },
    untilClosed: (withinMillis = STEP_MILLIS) => within(withinMillis, `${name} to be disconnected`, closed),
    vanish: () => {
      socket.destroy();
    },
  };
}

/** A PUB command with its payload. */
export function pub(subject: string, payload: string | Uint8Array, reply = ""): Buffer {
  const bytes = typeof payload === "string" ? Buffer.from(payload, "utf8") : payload;
  const line = `PUB ${subject} ${reply === "" ? "" : `${reply} `}${bytes.length}\r\n`;
  return Buffer.concat([Buffer.from(line, "utf8"), bytes, Buffer.from("\r\n")]);
}

async function writePieces(socket: Socket, pieces: Iterable<Uint8Array>): Promise<void> {
  for (const piece of pieces) {
    await new Promise<void>((resolve, reject) => {
      socket.write(piece, (error) => (error === null || error === undefined ? resolve() : reject(error)));
    });
    // A turn of the event loop between two writes, so that the other side reads them apart.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
