import type { Decoded } from "@nats-streaming/protocol";
import { decodeServerInfo, decodeSubState } from "@nats-streaming/protocol/spb";
import type { Tables } from "./tables.ts";

/** What the original would recover, as far as it matters here. */
export interface ReadState {
  readonly clusterId: string;
  readonly clients: readonly string[];
  readonly channels: Record<string, ReadChannel>;
}

export interface ReadChannel {
  readonly messages: number[];
  readonly subscriptions: Record<string, unknown>;
}

/**
 * Recovers from the tables by the rules of the original, apart from this package's own recovery: no limits, which are
 * tested elsewhere, and any order of rows that the primary keys allow.
 * @throws when something is not as the original demands
 * @see sql-store.md 8
 */
export function readAsOriginal(tables: Tables): ReadState {
  const [info, ...others] = tables.ServerInfo;
  demand(info !== undefined && others.length === 0 && info["uniquerow"] === 1, "one row of ServerInfo");
  demand(info?.["version"] === 1, "version 1");
  const serverInfo = decoded(decodeServerInfo(bytesOf(info?.["proto_hex"])));
  demand(serverInfo.clusterId === info?.["id"], "the cluster ID in column and data");

  const channels: Record<string, ReadChannel> = {};
  for (const channel of tables.Channels) {
    if (channel["deleted"] === true) continue;
    const id = channel["id"];
    const messages = tables.Messages.filter((row) => row["id"] === id).sort(
      (one, other) => Number(one["seq"]) - Number(other["seq"]),
    );
    for (const row of messages) demand(row["size"] === String(row["data_hex"]).length / 2, "size of a message");
    const subscriptions: Record<string, unknown> = {};
    for (const row of tables.Subscriptions) {
      if (row["id"] === id && row["deleted"] !== true) subscriptions[`${row["subid"]}`] = readSubscription(row, tables);
    }
    channels[String(channel["name"])] = { messages: messages.map((row) => Number(row["seq"])), subscriptions };
  }
  return { clusterId: serverInfo.clusterId, clients: tables.Clients.map((row) => String(row["id"])).sort(), channels };
}

function readSubscription(row: Tables["Subscriptions"][number], tables: Tables): unknown {
  const state = decoded(decodeSubState(bytesOf(row["proto_hex"])));
  demand(state.id === row["subid"], "the ID in column and data");
  let lastSent = Math.max(state.lastSent, Number(row["lastsent"]));
  const pending = new Set<number>();
  const rows = tables.SubsPending.filter((one) => one["subid"] === row["subid"]);
  for (const one of rows.sort((a, b) => Number(a["row"]) - Number(b["row"]))) {
    const seq = Number(one["seq"]);
    if (seq > 0) {
      pending.add(seq);
      lastSent = Math.max(lastSent, seq);
      continue;
    }
    lastSent = Math.max(lastSent, Number(one["lastsent"]));
    for (const sequence of sequencesOf(one["pending"])) pending.add(sequence);
    for (const sequence of sequencesOf(one["acks"])) pending.delete(sequence);
  }
  return {
    inbox: state.inbox,
    isClosed: state.isClosed,
    lastSent,
    pending: [...pending].sort((one, other) => one - other),
  };
}

function sequencesOf(value: unknown): number[] {
  return Array.isArray(value) ? value.map(Number) : [];
}

function bytesOf(hex: unknown): Uint8Array {
  return Buffer.from(String(hex), "hex");
}

function decoded<T>(result: Decoded<T>): T {
  if (result.kind !== "ok") throw new Error("the original would not decode this");
  return result.value;
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(`the original would not accept this: ${what}`);
}
