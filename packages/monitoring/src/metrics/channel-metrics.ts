import { type Clock, nowMillis } from "@nats-streaming/kernel";
import type { BacklogSnapshot } from "../backlog-snapshot.ts";
import type { MonitoredChannel, MonitoringSource } from "../source.ts";
import type { Turns } from "../turns.ts";
import { type Family, family, labelText } from "./family.ts";

/**
 * Channels with series of their own, the first in byte order. Each has seven; a time series database keeps them all for as long
 * as it keeps anything.
 */
export const METRIC_CHANNELS_MAX = 1_000;
/** Subscriptions with series of their own, three each, of the channels that are shown. */
export const METRIC_SUBSCRIPTIONS_MAX = 1_000;
/** Durables and queue groups with series of their own, six each, of the channels that are shown. */
export const METRIC_BACKLOGS_MAX = 1_000;

/** Units of work of one channel's seven series. */
const CHANNEL_UNITS = 4;
/** Oldest messages that one scrape has read from disk; the others' ages are known at a later one. */
const LOADS_MAX = 16;

/** What is measured per channel, per subscription, and per durable and queue group. */
export interface ChannelMetrics {
  /**
   * In the exposition format, gathered in short turns, family by family. A thousand channels with a library's object per series
   * would hold up the server for tens of milliseconds.
   */
  read(source: MonitoringSource, turns: Turns): Promise<readonly Uint8Array[]>;
}

export function createChannelMetrics(clock: Clock): ChannelMetrics {
  let isLoading = false;

  /** Reads in the background: a disk that hangs must not hang the scrape. */
  const load = (loads: readonly (() => Promise<void>)[]): void => {
    if (isLoading || loads.length === 0) return;
    isLoading = true;
    void Promise.allSettled(loads.map((one) => one())).finally(() => {
      isLoading = false;
    });
  };

  return {
    async read(source, turns): Promise<readonly Uint8Array[]> {
      const gathering = new Gathering(source.server().name, clock);
      const names = source.channels.page(0, METRIC_CHANNELS_MAX);
      for (const name of names) {
        const channel = source.channels.find(name);
        if (channel !== undefined) gathering.add(channel);
        if (turns.isOver(CHANNEL_UNITS + (channel?.subscriptionCount ?? 0))) await turns.next();
      }
      load(gathering.loads);
      return gathering.end(Math.max(0, source.channels.count - names.length));
    },
  };
}

/** The series of one scrape. */
class Gathering {
  readonly loads: (() => Promise<void>)[] = [];
  readonly #server: string;
  readonly #nowMillis: number;
  readonly #channel = {
    bytes: family("nss_chan_bytes_total", "gauge", "Bytes stored in a channel"),
    messages: family("nss_chan_msgs_total", "gauge", "Messages stored in a channel"),
    last: family("nss_chan_last_seq", "gauge", "Sequence of the last message"),
    first: family("nss_chan_first_seq", "gauge", "Sequence of the first message"),
    subscriptions: family("nss_chan_subscriptions", "gauge", "Subscriptions, offline durables included"),
    stalled: family("nss_chan_stalled_subscriptions", "gauge", "Subscriptions that get nothing new: max in flight"),
    stalledFor: family("nss_chan_stalled_seconds", "gauge", "For how long the longest of them has got nothing new"),
  };
  readonly #subscription = {
    lastSent: family("nss_chan_subs_last_sent", "gauge", "Highest sequence sent to a subscription"),
    pending: family("nss_chan_subs_pending_count", "gauge", "Messages sent and not acknowledged"),
    maxInFlight: family("nss_chan_subs_max_inflight", "gauge", "Messages that may be pending"),
  };
  readonly #backlog = {
    messages: family("nss_lag_messages", "gauge", "Stored messages that a durable or a group has not acknowledged"),
    bytes: family("nss_lag_bytes", "gauge", "Their size, by the mean size of the channel's messages"),
    age: family("nss_lag_oldest_age_seconds", "gauge", "Age of the oldest of them"),
    pending: family("nss_lag_pending_messages", "gauge", "Those of them that are sent and not acknowledged"),
    redelivering: family("nss_lag_redelivering_messages", "gauge", "Those of them that were sent more than once"),
    stalledFor: family("nss_lag_stalled_seconds", "gauge", "For how long nothing new was sent: max in flight"),
  };
  readonly #leftOut = family("nss_metrics_left_out", "gauge", "Series not shown because there are too many");
  #subscriptions = 0;
  #backlogs = 0;

  constructor(server: string, clock: Clock) {
    this.#server = server;
    this.#nowMillis = nowMillis(clock);
  }

  add(channel: MonitoredChannel): void {
    const text = labelText({ server: this.#server, channel: channel.name });
    const labels = Buffer.from(text);
    const { messages, bytes } = channel.messageState();
    const { first, last } = channel.sequences();
    this.#channel.bytes.add(labels, bytes);
    this.#channel.messages.add(labels, messages);
    this.#channel.first.add(labels, first);
    this.#channel.last.add(labels, last);
    this.#channel.subscriptions.add(labels, channel.subscriptionCount);
    let stalled = 0;
    let stalledMillis = 0;
    if (channel.subscriptionCount > 0) {
      for (const backlog of channel.backlogs()) {
        stalled += backlog.stalledCount;
        stalledMillis = Math.max(stalledMillis, backlog.stalledMillis);
        if (backlog.kind !== "plain") this.#addBacklog(text, backlog);
      }
      this.#addSubscriptions(text, channel);
    }
    this.#channel.stalled.add(labels, stalled);
    this.#channel.stalledFor.add(labels, seconds(stalledMillis));
  }

  /** @param channelsLeftOut how many channels have no series */
  end(channelsLeftOut: number): Uint8Array[] {
    const tooMany = (count: number, max: number): number => Math.max(0, count - max);
    for (const [kind, count] of [
      ["channels", channelsLeftOut],
      ["subscriptions", tooMany(this.#subscriptions, METRIC_SUBSCRIPTIONS_MAX)],
      ["backlogs", tooMany(this.#backlogs, METRIC_BACKLOGS_MAX)],
    ] as const) {
      this.#leftOut.add(Buffer.from(labelText({ server: this.#server, kind })), count);
    }
    const families: Family[] = [
      ...Object.values(this.#channel),
      ...Object.values(this.#subscription),
      ...Object.values(this.#backlog),
      this.#leftOut,
    ];
    return families.map((one) => one.bytes());
  }

  #addBacklog(channelLabels: string, backlog: BacklogSnapshot): void {
    if (++this.#backlogs > METRIC_BACKLOGS_MAX) return;
    const { kind, name, clientId, oldestMillis, load } = backlog;
    const labels = Buffer.from(`${channelLabels},${labelText({ kind, name, client_id: clientId })}`);
    this.#backlog.messages.add(labels, backlog.lagMessages);
    this.#backlog.bytes.add(labels, backlog.lagBytes);
    if (oldestMillis !== undefined || backlog.lagMessages === 0) {
      const age = oldestMillis === undefined ? 0 : Math.max(0, this.#nowMillis - oldestMillis);
      this.#backlog.age.add(labels, seconds(age));
    }
    this.#backlog.pending.add(labels, backlog.pendingCount);
    this.#backlog.redelivering.add(labels, backlog.redelivering);
    this.#backlog.stalledFor.add(labels, seconds(backlog.stalledMillis));
    if (load !== undefined && this.loads.length < LOADS_MAX) this.loads.push(load);
  }

  #addSubscriptions(channelLabels: string, channel: MonitoredChannel): void {
    let room = METRIC_SUBSCRIPTIONS_MAX - this.#subscriptions;
    this.#subscriptions += channel.subscriptionCount;
    if (room <= 0) return;
    for (const subscription of channel.subscriptions()) {
      if (room-- <= 0) return;
      const more = labelText({
        client_id: subscription.clientId,
        inbox: subscription.inbox,
        queue_name: subscription.queueName,
        is_durable: String(subscription.isDurable),
        is_offline: String(subscription.isOffline),
      });
      const labels = Buffer.from(`${channelLabels},${more}`);
      this.#subscription.lastSent.add(labels, subscription.lastSent);
      this.#subscription.pending.add(labels, subscription.pendingCount);
      this.#subscription.maxInFlight.add(labels, subscription.maxInFlight);
    }
  }
}

function seconds(millis: number): number {
  return Math.round(millis) / 1_000;
}
