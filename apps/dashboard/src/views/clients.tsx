import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Client, Clientsz } from "../api/types.ts";
import { usePolled } from "../api/use-polled.ts";
import { Empty, Failure, Loading, Pager, Section } from "../components/basics.tsx";
import { SubscriptionTable } from "../components/subscription-table.tsx";
import { type Column, Table } from "../components/table.tsx";
import { count } from "../format.ts";
import { href } from "../route.ts";

const PAGE = 50;

const COLUMNS: readonly Column<Client>[] = [
  { title: "Client", cell: ({ id }) => <a href={href.client(id)}>{id}</a> },
  { title: "Subscriptions", isNumber: true, cell: ({ subs_count }) => count(subs_count) },
  { title: "Heartbeat inbox", isWide: true, cell: ({ hb_inbox }) => <code title={hb_inbox}>{hb_inbox}</code> },
];

export function Clients(): JSX.Element {
  const [offset, setOffset] = useState(0);
  const { data, error } = usePolled<Clientsz>(`streaming/clientsz?offset=${offset}&limit=${PAGE}`);
  return (
    <Section title={data === undefined ? "Clients" : `Clients (${count(data.total)})`}>
      <Failure error={error} />
      {data === undefined ? (
        error === undefined && <Loading />
      ) : data.clients.length === 0 ? (
        <Empty title="No client is registered" />
      ) : (
        <Table label="Clients" columns={COLUMNS} rows={data.clients} keyOf={({ id }) => id} />
      )}
      {data !== undefined && <Pager offset={offset} limit={PAGE} total={data.total} onMove={setOffset} />}
    </Section>
  );
}

export function ClientView({ id }: { readonly id: string }): JSX.Element {
  const { data, error } = usePolled<Client>(`streaming/clientsz?client=${encodeURIComponent(id)}&subs=1`);
  const rows = Object.entries(data?.subscriptions ?? {}).flatMap(([channel, subscriptions]) =>
    subscriptions.map((subscription) => ({ channel, subscription })),
  );
  return (
    <>
      <nav class="crumbs" aria-label="Path">
        <a href={href.clients}>Clients</a> <span aria-hidden="true">/</span> <h1>{id}</h1>
      </nav>
      <Failure error={error} />
      {data === undefined && error === undefined && <Loading />}
      {data !== undefined && (
        <Section
          title={`Subscriptions (${count(data.subs_count)})`}
          note={
            <>
              heartbeats to <code>{data.hb_inbox}</code>
            </>
          }
        >
          {rows.length === 0 ? (
            <Empty title="This client only publishes" />
          ) : (
            <SubscriptionTable by="channel" rows={rows} />
          )}
        </Section>
      )}
    </>
  );
}
