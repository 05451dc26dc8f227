import type { JSX } from "preact";
import { latestOf, seriesOf } from "../api/history.ts";
import type { Channelsz, Partitionsz, Serverz, Storez } from "../api/types.ts";
import { usePolled } from "../api/use-polled.ts";
import { PartitionPicture } from "../charts/partition-picture.tsx";
import { RateChart } from "../charts/rate-chart.tsx";
import { Section, Tile, Tiles } from "../components/basics.tsx";
import { bytes, count, rate } from "../format.ts";
import { href } from "../route.ts";
import type { Theme } from "../theme.ts";
import { ChannelTable, NoChannels, noteChannels } from "./channel-table.tsx";

export interface OverviewProps {
  readonly server: Serverz | undefined;
  readonly store: Storez | undefined;
  readonly map: Partitionsz | undefined;
  readonly theme: Theme;
}

/** Channels that the first page shows. */
const CHANNELS_SHOWN = 8;

export function Overview({ server, store, map, theme }: OverviewProps): JSX.Element {
  const path = `streaming/channelsz?details=1&limit=${CHANNELS_SHOWN}`;
  const { data } = usePolled<Channelsz>(path, { onData: noteChannels });
  const channels = data?.channels ?? [];
  return (
    <>
      <Tiles>
        <Tile label="Published" value={rate(latestOf("in_msgs"))} note="msg/s" />
        <Tile label="Delivered" value={rate(latestOf("out_msgs"))} note="msg/s" />
        <Tile label="Stored messages" value={count(server?.total_msgs ?? 0)} />
        <Tile
          label="Store size"
          value={bytes(server?.total_bytes ?? 0)}
          {...(store && { note: store.type.toLowerCase() })}
        />
        <Tile label="Channels" value={count(server?.channels ?? 0)} />
        <Tile label="Subscriptions" value={count(server?.subscriptions ?? 0)} />
        <Tile label="Clients" value={count(server?.clients ?? 0)} />
      </Tiles>
      <div class="charts">
        <RateChart
          title="Messages per second"
          format={rate}
          unit="count"
          theme={theme}
          lines={[
            { label: "published", series: seriesOf("in_msgs"), colour: 1 },
            { label: "delivered", series: seriesOf("out_msgs"), colour: 2 },
          ]}
        />
        <RateChart
          title="Bytes per second"
          format={bytes}
          unit="bytes"
          theme={theme}
          lines={[
            { label: "published", series: seriesOf("in_bytes"), colour: 1 },
            { label: "delivered", series: seriesOf("out_bytes"), colour: 2 },
          ]}
        />
      </div>
      {map?.partitioning === true && (
        <Section title="Partition map" note={<a href={href.partitions}>Details</a>}>
          <div class="card picture">
            <PartitionPicture map={map} />
          </div>
        </Section>
      )}
      <Section
        title="Channels"
        note={
          <a href={href.channels}>
            {(data?.total ?? 0) > CHANNELS_SHOWN ? `All ${count(data?.total ?? 0)}` : "Details"}
          </a>
        }
      >
        {data !== undefined && channels.length === 0 ? <NoChannels /> : <ChannelTable channels={channels} />}
      </Section>
    </>
  );
}
