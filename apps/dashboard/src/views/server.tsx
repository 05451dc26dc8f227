import type { JSX } from "preact";
import type { Limits, Quarantined, Serverz, Storez } from "../api/types.ts";
import { Loading, Section } from "../components/basics.tsx";
import { type Column, Table } from "../components/table.tsx";
import { bytes, count, limit, moment, nanos } from "../format.ts";

interface NamedLimits {
  readonly name: string;
  readonly limits: Limits;
}

const LIMITS: readonly Column<NamedLimits>[] = [
  { title: "Channels", isWide: true, cell: ({ name }) => <code>{name}</code> },
  { title: "Messages", isNumber: true, cell: ({ limits }) => limit(limits.max_msgs) },
  { title: "Size", isNumber: true, cell: ({ limits }) => limit(limits.max_bytes, bytes) },
  { title: "Age", isNumber: true, cell: ({ limits }) => limit(limits.max_age, nanos) },
  { title: "Subscriptions", isNumber: true, cell: ({ limits }) => limit(limits.max_subscriptions) },
  {
    title: "Inactivity",
    isNumber: true,
    hint: "A channel goes when nothing was published and nobody was subscribed for so long",
    cell: ({ limits }) => (limits.max_inactivity === 0 ? "never goes" : nanos(limits.max_inactivity)),
  },
];

const QUARANTINED: readonly Column<Quarantined>[] = [
  { title: "Channel", cell: ({ name }) => <code>{name}</code> },
  { title: "Why", isWide: true, cell: ({ reason }) => reason },
];

/** Limits of single channels that are shown; `/streaming/storez` has all. */
const LIMITS_SHOWN = 200;

const ENDPOINTS: readonly (readonly [string, string])[] = [
  ["streaming/serverz", "server"],
  ["streaming/storez", "store"],
  ["streaming/clientsz?subs=1", "clients"],
  ["streaming/channelsz?subs=1&details=1", "channels"],
  ["streaming/partitionsz", "partition map"],
  ["metrics", "metrics"],
  ["readyz", "readiness"],
  ["varz", "NATS server"],
  ["connz?subs=1", "NATS connections"],
  ["routez", "NATS routes"],
];

export interface ServerViewProps {
  readonly server: Serverz | undefined;
  readonly store: Storez | undefined;
}

export function ServerView({ server, store }: ServerViewProps): JSX.Element {
  if (server === undefined || store === undefined) return <Loading />;
  const own = Object.entries(store.limits.channels ?? {}).map(([name, limits]) => ({ name, limits }));
  const rows = [{ name: "all channels", limits: store.limits }, ...own.slice(0, LIMITS_SHOWN)];
  const quarantined = store.quarantined ?? [];
  return (
    <>
      {quarantined.length > 0 && (
        <Section
          title={`Channels in quarantine (${count(quarantined.length)})`}
          note="Their files are damaged; the log names the remedy"
        >
          <Table label="Channels in quarantine" columns={QUARANTINED} rows={quarantined} keyOf={({ name }) => name} />
        </Section>
      )}
      <Section title="Server">
        <dl class="card facts">
          <Fact label="Cluster ID" value={server.cluster_id || "not known yet"} />
          <Fact label="Server ID" value={server.server_id} />
          <Fact label="State" value={server.state} />
          <Fact label="Version" value={server.version} />
          <Fact label="Runtime" value={server.go} />
          <Fact label="Started" value={`${moment(server.start_time)}, ${server.uptime} ago`} />
          {server.open_fds !== undefined && server.max_fds !== undefined && (
            <Fact label="File descriptors" value={`${count(server.open_fds)} of ${count(server.max_fds)}`} />
          )}
          <Fact label="Store" value={store.type} />
          <Fact label="Stored" value={`${count(store.total_msgs)} messages, ${bytes(store.total_bytes)}`} />
          <Fact label="Channels" value={`${count(server.channels)} of ${limit(store.limits.max_channels)}`} />
          <Fact label="Received" value={`${count(server.in_msgs)} messages, ${bytes(server.in_bytes)}`} />
          <Fact label="Sent" value={`${count(server.out_msgs)} messages, ${bytes(server.out_bytes)}`} />
        </dl>
      </Section>
      <Section
        title="Limits"
        note={own.length > LIMITS_SHOWN ? `The first ${LIMITS_SHOWN} of ${count(own.length)}` : undefined}
      >
        <Table label="Limits" columns={LIMITS} rows={rows} keyOf={({ name }) => name} />
      </Section>
      <Section title="As JSON and text">
        <ul class="links">
          {ENDPOINTS.map(([path, text]) => (
            <li key={path}>
              <a href={`./${path}`}>{text}</a> <code>/{path.replace(/\?.*/, "")}</code>
            </li>
          ))}
        </ul>
      </Section>
    </>
  );
}

function Fact({ label, value }: { readonly label: string; readonly value: string }): JSX.Element {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}
