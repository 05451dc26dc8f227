import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

/** What expected.json says that the Go server had stored, in the part that a rehearsal needs. */
export interface WrittenState {
  readonly clients: readonly string[];
  readonly channels: ReadonlyMap<string, WrittenChannel>;
}

export interface WrittenChannel {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly messages: readonly StoredMessage[];
  readonly subscriptions: readonly WrittenSubscription[];
}

export interface StoredMessage {
  readonly sequence: number;
  /** @see digestOf */
  readonly digest: string;
}

export interface WrittenSubscription {
  readonly clientId: string;
  /** Empty for a subscription that ends with its client. */
  readonly durableName: string;
  readonly queueGroup: string;
  readonly lastSent: number;
  /** Delivered and not acknowledged when the Go server stopped. */
  readonly pending: readonly number[];
  readonly maxInFlight: number;
}

/** @param folder below test-e2e/fixtures, such as `file-store/durable-queue-pending` */
export async function readWritten(folder: string): Promise<WrittenState> {
  const url = new URL(`../fixtures/${folder}/expected.json`, import.meta.url);
  const document: unknown = JSON.parse(await readFile(url, "utf8"));
  const [run] = list(document, "runs");
  const state = at(at(run, "expect"), "state");
  const channels = Object.entries(object(at(state, "channels"))).map(([name, channel]): [string, WrittenChannel] => [
    name,
    readChannel(channel),
  ]);
  return {
    clients: list(state, "clients").map((client) => String(at(client, "id"))),
    channels: new Map(channels),
  };
}

function readChannel(channel: unknown): WrittenChannel {
  return {
    firstSequence: Number(at(channel, "first_seq")),
    lastSequence: Number(at(channel, "last_seq")),
    messages: list(channel, "messages").map((message) => ({
      sequence: Number(at(message, "seq")),
      digest: storedDigest(message),
    })),
    subscriptions: list(channel, "subscriptions").map((subscription) => {
      const queueGroup = String(at(subscription, "queue_group"));
      // Of a durable queue group, the Go server stores durable name and group as one.
      const [durable, group] = queueGroup.includes(":") ? queueGroup.split(":") : ["", queueGroup];
      return {
        clientId: String(at(subscription, "client_id")),
        durableName: String(at(subscription, "durable_name")) || (durable ?? ""),
        queueGroup: group ?? "",
        lastSent: Number(at(subscription, "last_sent")),
        pending: list(subscription, "pending_acks").map(Number),
        maxInFlight: Number(at(subscription, "max_in_flight")),
      };
    }),
  };
}

/** What payloads are compared by: of long ones, expected.json keeps nothing else. */
export function digestOf(payload: string | Uint8Array): string {
  return createHash("sha256").update(payload).digest("hex");
}

function storedDigest(message: unknown): string {
  const kept: unknown = Reflect.get(object(message), "data_sha256");
  return typeof kept === "string" ? kept : digestOf(Buffer.from(String(at(message, "data_base64")), "base64"));
}

function object(value: unknown): object {
  if (typeof value !== "object" || value === null) throw new Error(`not an object: ${String(value)}`);
  return value;
}

function at(value: unknown, key: string): unknown {
  const found: unknown = Reflect.get(object(value), key);
  if (found === undefined) throw new Error(`no ${key}`);
  return found;
}

function list(value: unknown, key: string): unknown[] {
  const found = at(value, key);
  if (!Array.isArray(found)) throw new Error(`${key} is no list`);
  return found;
}
