import type { JSX } from "preact";
import type { PartitionServer, Partitionsz } from "../api/types.ts";
import { href } from "../route.ts";

/** Entries drawn of one server, and channels without owner; the table below the picture has the others. */
const ENTRIES_MAX = 24;
const UNOWNED_MAX = 12;

/** Servers drawn that are not there any more. */
const GONE_MAX = 8;

const ROW = 30;
const GAP = 18;
const SERVER_WIDTH = 290;
const SERVER_HEIGHT = 54;
const ENTRY_LEFT = 640;
const ENTRY_HEIGHT = 22;
const WIDTH = 1_180;
const TOP = 30;
/** How far a line goes on straight. */
const BEND = 150;
/** Characters of a name that fit into its box. */
const NAME_CHARACTERS = 58;

interface EntryBox {
  readonly key: string;
  readonly name: string;
  readonly y: number;
  readonly kind: "owned" | "conflict" | "unowned" | "more";
  /** Middles of the boxes of those that list it, or store it. */
  readonly from: readonly number[];
}

interface ServerBox {
  readonly server: PartitionServer;
  readonly y: number;
  /** It is not there any more: it was refused, or gave way. */
  readonly isGone: boolean;
}

/** The partition map: servers on the left, what they list on the right, what is wrong in red. */
export function PartitionPicture({ map }: { readonly map: Partitionsz }): JSX.Element {
  const { servers, entries, height } = layOut(map);
  return (
    <svg class="partition-picture" viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={describe(map)}>
      <text class="column" x={0} y={12}>
        Servers
      </text>
      <text class="column" x={ENTRY_LEFT} y={12}>
        Channels
      </text>
      {entries.flatMap(({ key, y, kind, from }) =>
        from.map((server) => (
          <path
            key={`${key}-${server}`}
            class={`link ${kind}`}
            d={`M${SERVER_WIDTH} ${server} C${SERVER_WIDTH + BEND} ${server} ${ENTRY_LEFT - BEND} ${y} ${ENTRY_LEFT} ${y}`}
          />
        )),
      )}
      {servers.map((box) => (
        <ServerNode key={box.server.server_id} box={box} />
      ))}
      {entries.map((entry) => (
        <EntryNode key={entry.key} entry={entry} />
      ))}
    </svg>
  );
}

function ServerNode({ box: { server, y, isGone } }: { readonly box: ServerBox }): JSX.Element {
  const facts = isGone
    ? ["not serving: its list overlaps"]
    : [
        server.kind === "other" ? "another kind of server" : server.state,
        server.clients === undefined ? "" : `${server.clients} clients`,
        `${server.entries_total} ${server.entries_total === 1 ? "entry" : "entries"}`,
      ];
  return (
    <g
      class={`server-node${server.self ? " self" : ""}${isGone ? " gone" : ""}`}
      transform={`translate(0 ${y - SERVER_HEIGHT / 2})`}
    >
      <rect width={SERVER_WIDTH} height={SERVER_HEIGHT} rx={7} />
      <circle class={server.state} cx={16} cy={19} r={4} />
      <text class="name" x={28} y={23}>
        {server.server_id}
      </text>
      <text class="about" x={16} y={42}>
        {facts.filter((fact) => fact !== "").join(" · ")}
      </text>
      {server.self && (
        <text class="self-mark" x={SERVER_WIDTH - 14} y={23} text-anchor="end">
          this server
        </text>
      )}
    </g>
  );
}

function EntryNode({ entry: { name, y, kind } }: { readonly entry: EntryBox }): JSX.Element {
  const text = name.length > NAME_CHARACTERS ? `${name.slice(0, NAME_CHARACTERS - 1)}…` : name;
  const isChannel = kind === "unowned" || (kind !== "more" && !/[*>]/.test(name));
  const box = (
    <g class={`entry-node ${kind}`} transform={`translate(${ENTRY_LEFT} ${y - ENTRY_HEIGHT / 2})`}>
      <title>{name}</title>
      <rect width={WIDTH - ENTRY_LEFT - 1} height={ENTRY_HEIGHT} rx={5} />
      <text x={10} y={15}>
        {text}
      </text>
      {(kind === "conflict" || kind === "unowned") && (
        <text class="flag" x={WIDTH - ENTRY_LEFT - 11} y={15} text-anchor="end">
          {kind === "conflict" ? "conflict" : "no owner"}
        </text>
      )}
    </g>
  );
  return isChannel ? <a href={href.channel(name)}>{box}</a> : box;
}

/** Where everything stands. Entries follow their servers, so that lines seldom cross. */
function layOut(map: Partitionsz): {
  readonly servers: readonly ServerBox[];
  readonly entries: readonly EntryBox[];
  readonly height: number;
} {
  const entries: EntryBox[] = [];
  const servers: ServerBox[] = [];
  const middleOf = new Map<string, number>();
  const conflicts = new Map<string, string[]>();
  for (const { name, servers: both } of map.conflicts) {
    conflicts.set(name, [...new Set([...(conflicts.get(name) ?? []), ...both])]);
  }
  const drawn = new Set<string>();
  let y = TOP;
  const plan = [...map.servers, ...goneServers(map)].map((server) => {
    // What two servers list stands once.
    const own = server.entries.filter((name) => !drawn.has(name)).slice(0, ENTRIES_MAX);
    for (const name of own) drawn.add(name);
    const more = server.entries_total - server.entries.filter((name) => drawn.has(name)).length;
    const rows = own.length + (more > 0 ? 1 : 0);
    const height = Math.max(SERVER_HEIGHT, rows * ROW);
    const top = y;
    y += height + GAP;
    middleOf.set(server.server_id, top + height / 2);
    return { server, own, more, rows, top, height };
  });
  for (const { server, own, more, rows, top, height } of plan) {
    const middle = top + height / 2;
    servers.push({ server, y: middle, isGone: !map.servers.includes(server) });
    const first = middle - (rows * ROW) / 2 + ROW / 2;
    for (const [i, name] of own.entries()) {
      const others = conflicts.get(name);
      const from = [middle, ...middles(middleOf, others?.filter((id) => id !== server.server_id) ?? [])];
      const kind = others === undefined ? "owned" : "conflict";
      entries.push({ key: `${server.server_id} ${name}`, name, y: first + i * ROW, kind, from });
    }
    if (more > 0) {
      const place = first + own.length * ROW;
      entries.push({
        key: `${server.server_id} more`,
        name: `and ${more} more`,
        y: place,
        kind: "more",
        from: [middle],
      });
    }
  }
  const lost = map.unowned.slice(0, UNOWNED_MAX);
  for (const [i, { channel, stored_by }] of lost.entries()) {
    const from = middles(middleOf, stored_by);
    entries.push({ key: `unowned ${channel}`, name: channel, y: y + ROW / 2 + i * ROW, kind: "unowned", from });
  }
  y += lost.length * ROW;
  if (map.unowned_total > lost.length) {
    const name = `and ${map.unowned_total - lost.length} more without owner`;
    entries.push({ key: "unowned more", name, y: y + ROW / 2, kind: "more", from: [] });
    y += ROW;
  }
  return { servers, entries, height: Math.max(y, TOP + SERVER_HEIGHT) };
}

/** Those that a conflict names and that are not there: they were refused, or gave way. */
function goneServers(map: Partitionsz): readonly PartitionServer[] {
  const present = new Set(map.servers.map(({ server_id }) => server_id));
  const gone = new Set(map.conflicts.flatMap(({ servers }) => servers.filter((id) => !present.has(id))));
  return [...gone].slice(0, GONE_MAX).map((server_id) => {
    // Of its list no more is known than what it shares.
    const entries = [
      ...new Set(map.conflicts.flatMap(({ name, servers }) => (servers.includes(server_id) ? [name] : []))),
    ];
    return { server_id, self: false, kind: "partitioned", state: "unknown", entries_total: entries.length, entries };
  });
}

function middles(middleOf: ReadonlyMap<string, number>, ids: readonly string[]): number[] {
  return ids.flatMap((id) => middleOf.get(id) ?? []);
}

/** The picture in words. */
function describe(map: Partitionsz): string {
  const lists = map.servers.map(({ server_id, entries }) => `${server_id} lists ${entries.slice(0, 8).join(", ")}`);
  const wrong = `${map.conflicts_total} conflicts, ${map.unowned_total} channels without owner`;
  return `Partition map: ${lists.join("; ")}. ${wrong}.`;
}
