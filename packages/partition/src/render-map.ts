import { byteStringToText, textToByteString } from "@nats-streaming/protocol";
import { quoteByteString } from "@nats-streaming/protocol/stan";
import type { MapCheck } from "./check-map.ts";
import type { MappedServer, PartitionMap } from "./partition-map.ts";

/** Stored channels listed in a table at most; JSON has all. */
const ROWS_MAX = 1_000;

/** A partition map as a table for people; ends with a line break. */
export function renderMapText(map: PartitionMap): string {
  const lines: string[] = [];
  if (map.servers.length === 0) {
    lines.push(`No partition server of cluster ${quote(map.clusterId)} has answered.`);
  } else {
    const rows = map.servers.flatMap((server) => serverRows(server));
    lines.push(...table(["ENTRY", "SERVER", "STATE", "SINCE", "CLIENTS"], rows));
  }
  if (map.conflicts.length > 0) {
    lines.push("", `Conflicts (${map.conflicts.length}):`);
    lines.push(
      ...table(
        ["ENTRY", "SERVERS"],
        map.conflicts.map(({ name, servers }) => [plain(name), servers.map(plain).join(" and ")]),
      ),
    );
  }
  if (map.unowned.length > 0) {
    lines.push("", `Stored channels that no list covers (${map.unowned.length}):`);
    const shown = map.unowned.slice(0, ROWS_MAX);
    lines.push(
      ...table(
        ["CHANNEL", "STORED BY"],
        shown.map(({ channel, serverIds }) => [plain(channel), serverIds.map(plain).join(", ")]),
      ),
    );
    if (shown.length < map.unowned.length) lines.push(`... and ${map.unowned.length - shown.length} more`);
  }
  if (!map.isComplete) lines.push("", INCOMPLETE);
  return `${lines.join("\n")}\n`;
}

/** The same as JSON, indented; ends with a line break. */
export function renderMapJson(map: PartitionMap): string {
  const servers = map.servers.map(({ serverId, kind, phase, since, clientCount, entries }) => ({
    server_id: serverId,
    kind,
    state: phase,
    since: isoDate(since),
    clients: clientCount ?? null,
    entries,
  }));
  const unowned = map.unowned.map(({ channel, serverIds }) => ({ channel, stored_by: serverIds }));
  const value = { cluster_id: map.clusterId, complete: map.isComplete, servers, conflicts: map.conflicts, unowned };
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** What a configuration would lead to, for people; ends with a line break. */
export function renderCheckText(check: MapCheck): string {
  if (check.kind === "invalid") return `The configuration would be refused: ${check.message}\n`;
  const lines: string[] = [];
  if (check.conflicts.length === 0) lines.push("No conflict with any server that is running.");
  for (const conflict of check.conflicts) {
    const other = conflict.with === conflict.entry ? "" : ` (its entry is ${quote(conflict.with)})`;
    lines.push(`Conflict: ${quote(conflict.entry)} overlaps server ${quote(conflict.serverId)}${other}`);
  }
  if (check.unowned.length > 0) {
    lines.push(`Stored channels that would have no owner (${check.unowned.length}):`);
    for (const channel of check.unowned.slice(0, ROWS_MAX)) lines.push(`  ${plain(channel)}`);
    if (check.unowned.length > ROWS_MAX) lines.push(`  ... and ${check.unowned.length - ROWS_MAX} more`);
  }
  if (!check.isComplete) lines.push(INCOMPLETE);
  return `${lines.join("\n")}\n`;
}

/** The same as JSON, indented; ends with a line break. */
export function renderCheckJson(check: MapCheck): string {
  const value =
    check.kind === "invalid"
      ? { valid: false, message: check.message }
      : {
          valid: true,
          complete: check.isComplete,
          conflicts: check.conflicts.map(({ entry, with: other, serverId }) => ({
            entry,
            with: other,
            server_id: serverId,
          })),
          unowned: check.unowned,
        };
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

const INCOMPLETE = "Not every server has told everything within the time: try again with a longer one.";

function serverRows(server: MappedServer): readonly (readonly string[])[] {
  const since = isoDate(server.since) ?? "-";
  const state = server.kind === "other" ? "other kind" : server.phase;
  const clients = server.clientCount === undefined ? "-" : String(server.clientCount);
  const entries = server.entries.length === 0 ? ["-"] : server.entries.map(plain);
  return entries.map((entry) => [entry, plain(server.serverId), state, since, clients]);
}

/** Null where nothing is known; a peer says what it likes, and not every number is a date. */
function isoDate(millis: number): string | null {
  const date = new Date(millis);
  return millis === 0 || Number.isNaN(date.getTime()) ? null : `${date.toISOString().slice(0, 19)}Z`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title) => title.length);
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  return [line(head), ...rows.map(line)];
}

/** A name in a table: as it is, or quoted where it would not print. */
function plain(name: string): string {
  const quoted = quote(name);
  return quoted === `"${name}"` && !/\s/.test(name) ? name : quoted;
}

function quote(name: string): string {
  return byteStringToText(quoteByteString(textToByteString(name)));
}
