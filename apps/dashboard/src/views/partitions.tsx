import type { JSX } from "preact";
import type { Conflict, PartitionServer, Partitionsz, Unowned } from "../api/types.ts";
import { PartitionPicture } from "../charts/partition-picture.tsx";
import { Chip, Empty, Loading, Section } from "../components/basics.tsx";
import { type Column, Table } from "../components/table.tsx";
import { count, moment } from "../format.ts";

const SERVERS: readonly Column<PartitionServer>[] = [
  {
    title: "Server",
    cell: ({ server_id, self }) => (
      <>
        <code>{server_id}</code> {self && <Chip tone="info">this server</Chip>}
      </>
    ),
  },
  {
    title: "State",
    cell: ({ state, kind }) =>
      kind === "other" ? (
        <Chip tone="plain">another kind</Chip>
      ) : (
        <Chip tone={state === "serving" ? "good" : "plain"}>{state}</Chip>
      ),
  },
  { title: "Since", isNumber: true, cell: ({ since }) => (since === undefined ? "–" : moment(since)) },
  { title: "Clients", isNumber: true, cell: ({ clients }) => (clients === undefined ? "–" : count(clients)) },
  { title: "Entries", isNumber: true, cell: ({ entries_total }) => count(entries_total) },
  {
    title: "List",
    isWide: true,
    cell: ({ entries, entries_total }) => <Entries entries={entries} total={entries_total} />,
  },
];

const CONFLICTS: readonly Column<Conflict>[] = [
  { title: "Entry", isWide: true, cell: ({ name }) => <code>{name}</code> },
  { title: "One server", cell: ({ servers }) => <code>{servers[0]}</code> },
  { title: "The other", cell: ({ servers }) => <code>{servers[1]}</code> },
];

const UNOWNED: readonly Column<Unowned>[] = [
  { title: "Channel", isWide: true, cell: ({ channel }) => <code>{channel}</code> },
  { title: "Stored by", cell: ({ stored_by }) => <code>{stored_by.join(", ")}</code> },
];

export function Partitions({ map }: { readonly map: Partitionsz | undefined }): JSX.Element {
  if (map === undefined) return <Loading />;
  if (!map.partitioning) {
    return (
      <Section title="Partition map">
        <Empty title="This server is not partitioned">
          It serves every channel. With partitioning, servers share the channels of one cluster by their lists.
        </Empty>
      </Section>
    );
  }
  return (
    <>
      <Section title="Partition map" note={map.complete ? undefined : "Not every server has told everything yet"}>
        <div class="card picture">
          <PartitionPicture map={map} />
        </div>
      </Section>
      {map.conflicts.length > 0 && (
        <Section
          title={`Conflicts (${count(map.conflicts_total)})`}
          note="Two servers must not serve the same channel: end one, or change its list"
        >
          <Table
            label="Conflicts"
            columns={CONFLICTS}
            rows={map.conflicts}
            keyOf={({ name, servers }) => `${name} ${servers}`}
          />
        </Section>
      )}
      {map.unowned.length > 0 && (
        <Section
          title={`Channels without owner (${count(map.unowned_total)})`}
          note="They are stored, and in nobody's list: add them to one to serve them again"
        >
          <Table label="Channels without owner" columns={UNOWNED} rows={map.unowned} keyOf={({ channel }) => channel} />
        </Section>
      )}
      <Section title={`Servers (${count(map.servers.length)})`}>
        <Table label="Servers" columns={SERVERS} rows={map.servers} keyOf={({ server_id }) => server_id} />
      </Section>
    </>
  );
}

/** Entries of a list that a line shows. */
const ENTRIES_SHOWN = 40;

function Entries({ entries, total }: { readonly entries: readonly string[]; readonly total: number }): JSX.Element {
  const shown = entries.slice(0, ENTRIES_SHOWN);
  return (
    <span class="entries">
      {shown.map((entry) => (
        <code key={entry}>{entry}</code>
      ))}
      {total > shown.length && <span class="muted">and {count(total - shown.length)} more</span>}
    </span>
  );
}
