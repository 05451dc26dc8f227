import type { RawStan } from "./raw-stan.ts";
import { type MsgProto, START_POSITION } from "./stan-wire.ts";

/** How long the whole of a large channel may take to arrive. */
const READ_MILLIS = 60_000;

/** Reads a channel from a sequence up to another, acknowledging everything. */
export async function readChannel(stan: RawStan, channel: string, from: number, to: number): Promise<MsgProto[]> {
  if (to < from) return [];
  const subscription = await stan.subscribe(channel, {
    startPosition: START_POSITION.sequence,
    startSequence: from,
    maxInFlight: 4096,
  });
  if (subscription.response.error !== "") throw new Error(`${channel}: ${subscription.response.error}`);
  const messages: MsgProto[] = [];
  const complete = new Promise<void>((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`${channel}: ${messages.length} of ${from} to ${to} came`)),
      READ_MILLIS,
    );
    subscription.messages.forward(
      (message) => {
        subscription.ack(message.sequence);
        if (message.redelivered) return;
        messages.push(message);
        if (message.sequence < to) return;
        clearTimeout(late);
        resolve();
      },
      (reason) => {
        clearTimeout(late);
        reject(new Error(`${channel}: ${reason}`));
      },
    );
  });
  await complete;
  await stan.unsubscribe(channel, subscription.inbox);
  return messages;
}
