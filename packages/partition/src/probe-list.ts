import { type Bus, BusError, type Clock, nuidSource, type Random, type Timer } from "@nats-streaming/kernel";
import { partitionSubject } from "@nats-streaming/protocol/spb";
import { PROBE_REF_ID, readChannelListReply } from "./answering.ts";
import { chunkChannelList } from "./channel-list-chunks.ts";

/** A server that lists some of the channels in question. Byte strings. */
export interface ProbeObjection {
  readonly serverId: string;
  /** As the other server reports it. */
  readonly name: string;
}

export interface ProbeResult {
  /** At most one for each server. */
  readonly objections: readonly ProbeObjection[];
  /** Every server that answered. */
  readonly answered: ReadonlySet<string>;
  /** Why the question could not be sent; undefined when it was. */
  readonly failure: string | undefined;
}

export interface ProbeOptions {
  readonly bus: Bus;
  readonly clusterId: string;
  readonly serverId: string;
  /** Byte strings; without any nobody is asked. */
  readonly names: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  /** The end comes when nobody answered for so long, */
  readonly idleMillis: number;
  /** and after this time in any case, */
  readonly totalMillis: number;
  /** and at the first objection, if one is enough. */
  readonly stopsAtObjection?: boolean;
}

/** Servers remembered of one question. */
const ANSWERED_MAX = 65_536;

/**
 * Asks all servers, those of the original included, whether they list any of these channels. It has no effect on anybody:
 * the list is a question and no claim.
 * @see partitioning.md 6.3, 14
 */
export function probeList(options: ProbeOptions): Promise<ProbeResult> {
  const { bus, clock } = options;
  if (options.names.length === 0) return Promise.resolve({ objections: [], answered: new Set(), failure: undefined });
  const list = chunkChannelList(options.serverId, options.names, bus.maxPayload, PROBE_REF_ID);
  if (list.kind === "too_small") {
    const failure = `a channel name of ${list.name.length} bytes is too long for the payload limit of ${bus.maxPayload} bytes`;
    return Promise.resolve({ objections: [], answered: new Set(), failure });
  }
  return new Promise((resolve) => {
    const objections = new Map<string, ProbeObjection>();
    const answered = new Set<string>();
    const inbox = `_INBOX.${nuidSource(options.random)()}`;
    let idle: Timer | undefined;
    let unsubscribe = (): void => {};
    const end = (failure: string | undefined): void => {
      idle?.cancel();
      total.cancel();
      unsubscribe();
      resolve({ objections: [...objections.values()], answered, failure });
    };
    const total = clock.setTimer(options.totalMillis, () => end(undefined));
    const wait = (): void => {
      idle?.cancel();
      idle = clock.setTimer(options.idleMillis, () => end(undefined));
    };
    try {
      const subscription = bus.subscribe(inbox, (message) => {
        const reply = readChannelListReply(message.bytes.subarray(message.start, message.end));
        if (reply.kind === "undecodable" || answered.size >= ANSWERED_MAX) return;
        answered.add(reply.serverId);
        wait();
        if (reply.kind !== "conflict") return;
        if (!objections.has(reply.serverId))
          objections.set(reply.serverId, { serverId: reply.serverId, name: reply.name });
        if (options.stopsAtObjection === true) end(undefined);
      });
      unsubscribe = () => subscription.unsubscribe();
      wait();
      for (const chunk of list.chunks) bus.publish(partitionSubject(options.clusterId), chunk, inbox);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      end(error.message);
    }
  });
}
