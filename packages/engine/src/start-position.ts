import { type Clock, nowNanos, timestampNanos } from "@nats-streaming/kernel";
import { StartPosition, type SubscriptionRequest } from "@nats-streaming/protocol/stan";
import type { MessageLog } from "@nats-streaming/store";

/** Where a new subscription begins, and how the log line says so. */
export interface Start {
  /** The sequence before the first one to deliver. */
  readonly lastSent: number;
  readonly description: string;
}

/**
 * Computes the position before the first message that a new subscription gets.
 * @throws StoreError when the store cannot say
 * @see protocol.md 10.3
 */
export async function startPosition(request: SubscriptionRequest, log: MessageLog, clock: Clock): Promise<Start> {
  if (request.startPosition === StartPosition.timeDeltaStart) return fromTime(request, log, clock);
  return startPositionNow(request, log);
}

/** As {@link startPosition}, for the positions that need no look into the messages. */
export function startPositionNow(request: SubscriptionRequest, log: MessageLog): Start {
  const first = log.firstSequence;
  const last = log.lastSequence;
  switch (request.startPosition) {
    case StartPosition.newOnly:
      return { lastSent: last, description: `sending new-only, seq=${last + 1}` };
    case StartPosition.lastReceived: {
      const lastSent = last > 0 ? last - 1 : 0;
      return { lastSent, description: `sending last message, seq=${lastSent + 1}` };
    }
    case StartPosition.sequenceStart: {
      const lastSent = fromSequence(request.startSequence, first, last);
      const asked = `asked_seq=${request.startSequence} actual_seq=${lastSent + 1}`;
      return { lastSent, description: `sending from sequence, ${asked}` };
    }
    default: {
      const lastSent = first > 0 ? first - 1 : 0;
      return { lastSent, description: `sending from beginning, seq=${lastSent + 1}` };
    }
  }
}

function fromSequence(asked: bigint, first: number, last: number): number {
  if (asked < BigInt(first)) return first - 1;
  if (asked > BigInt(last)) return last;
  return asked === 0n ? 0 : Number(asked) - 1;
}

async function fromTime(request: SubscriptionRequest, log: MessageLog, clock: Clock): Promise<Start> {
  const time = timestampNanos(nowNanos(clock) - request.startTimeDelta);
  const found = await log.sequenceFromTimestamp(time);
  const lastSent = found === 0 ? 0 : found - 1;
  const iso = new Date(Number(time / 1_000_000n)).toISOString();
  return { lastSent, description: `sending from time time='${iso}' seq=${lastSent + 1}` };
}
