import { type Clock, nowNanos, type TimestampNanos, timestampNanos } from "@nats-streaming/kernel";
import { type JsonValue, toJson } from "./json.ts";
import type { MessageStart, StoredMessageSnapshot } from "./message-page.ts";
import { awaitSource } from "./monitoring-error.ts";
import { type Asker, type MonitoringResponse, textResponse } from "./response.ts";
import type { MonitoringSource } from "./source.ts";
import { formatTime } from "./time.ts";

/** Who may see the contents of messages. */
export type MessageAccess =
  /** Whoever has shown the token or the password; without one, only this machine. */
  | "careful"
  /** Everybody who may see anything. */
  | "everybody"
  | "nobody";

/** Messages of a page when nothing is said, and at most. */
const MESSAGES_DEFAULT = 25;
const MESSAGES_MAX = 256;
/** Data shown of one message; `full=1` shows all of it. */
export const DATA_SHOWN_MAX = 65_536;
/** Data read for one page. */
const PAGE_BYTES_MAX = 4 * 1_024 * 1_024;

/**
 * `/streaming/messagesz?channel=…`: stored messages of a channel, data in base64. `from` is a sequence (the first if left
 * out), or `time` (RFC 3339) or `last` (a count from the end) says where to begin; `count` how many. `next` of the answer is
 * the `from` of the next page. There is no `callback`: a script could be read by any page.
 */
export async function messagesResponse(
  source: MonitoringSource,
  clock: Clock,
  query: URLSearchParams,
  asker: Asker,
  access: MessageAccess,
): Promise<MonitoringResponse> {
  const refusal = refusalOf(asker, access);
  if (refusal !== undefined) return textResponse(403, refusal);
  const name = query.get("channel") ?? "";
  if (name === "") return textResponse(400, "Name the channel whose messages to show: messagesz?channel=foo");
  const count = readCount(query.get("count"), MESSAGES_DEFAULT);
  if (count === undefined) return textResponse(400, `Invalid count: use a number from 1 to ${MESSAGES_MAX}`);
  const start = readStart(query);
  if (typeof start === "string") return textResponse(400, start);
  const channel = source.channels.find(name);
  if (channel === undefined) return textResponse(404, `Channel ${name} not found`);

  const shown = query.get("full") === "1" ? Number.POSITIVE_INFINITY : DATA_SHOWN_MAX;
  const wanted = start.kind === "last" ? start.count : count;
  const page = await awaitSource(
    `Error reading messages of channel ${JSON.stringify(name)}`,
    channel.readMessages(start, { count: wanted, bytes: PAGE_BYTES_MAX }),
  );
  const { clusterId, serverId } = source.server();
  const body = toJson({
    cluster_id: clusterId,
    server_id: serverId,
    now: formatTime(nowNanos(clock)),
    channel: name,
    first_seq: page.firstSequence,
    last_seq: page.lastSequence,
    count: page.messages.length,
    next: page.next,
    messages: page.messages.map((message) => messageJson(message, shown)),
  });
  return { status: 200, contentType: "application/json", body };
}

function messageJson({ sequence, timestamp, reply, data }: StoredMessageSnapshot, shown: number): JsonValue {
  const isCut = data.length > shown;
  const part = isCut ? data.subarray(0, shown) : data;
  return {
    seq: sequence,
    time: formatTime(timestamp),
    size: data.length,
    reply: reply || undefined,
    data: Buffer.from(part.buffer, part.byteOffset, part.length).toString("base64"),
    truncated: isCut ? true : undefined,
  };
}

function refusalOf({ isTrusted, isLocal }: Asker, access: MessageAccess): string | undefined {
  if (access === "nobody") return "Messages are not shown: the configuration says so";
  if (access === "everybody" || isTrusted || isLocal) return undefined;
  return (
    "Messages are only shown on the machine of the server itself, under its address or as localhost: " +
    "guard monitoring by a token or a password to see them from elsewhere"
  );
}

/** Where to begin, or what is wrong. Of several parameters the most particular counts: last, time, from. */
function readStart(query: URLSearchParams): MessageStart | string {
  const last = query.get("last") ?? "";
  if (last !== "") {
    const count = readCount(last, 1);
    return count === undefined ? `Invalid last: use a number from 1 to ${MESSAGES_MAX}` : { kind: "last", count };
  }
  const time = query.get("time") ?? "";
  if (time !== "") {
    const timestamp = readTime(time);
    return timestamp === undefined
      ? "Invalid time: use RFC 3339, such as time=2026-11-22T13:57:50Z"
      : { kind: "time", timestamp };
  }
  const from = query.get("from") ?? "";
  if (from === "") return { kind: "sequence", sequence: 1 };
  const sequence = /^\d{1,16}$/.test(from) ? Number(from) : Number.NaN;
  if (!Number.isSafeInteger(sequence)) return "Invalid from: use the sequence of a message, such as from=1";
  return { kind: "sequence", sequence };
}

function readCount(text: string | null, whenAbsent: number): number | undefined {
  if (text === null || text === "") return whenAbsent;
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return count < 1 || count > MESSAGES_MAX ? undefined : count;
}

/** To the millisecond; digits beyond are cut off, which at worst shows one message too many. */
function readTime(text: string): TimestampNanos | undefined {
  if (!/^\d{4}-\d\d-\d\d([T ][\d:.]+(Z|[+-]\d\d:?\d\d)?)?$/i.test(text)) return undefined;
  const millis = Date.parse(text);
  return Number.isNaN(millis) ? undefined : timestampNanos(BigInt(millis) * 1_000_000n);
}
