import { STEP_MILLIS, within } from "./mailbox.ts";
import { newInbox, type RawClient, type RawMessage } from "./raw-client.ts";

/** Everything that came on many subjects, in the order in which it came over the connection. */
export interface WireLog {
  readonly all: readonly RawMessage[];
  /** A subject whose messages arrive here. The same name gives the same subject. */
  inbox(name: string): string;
  /** How many messages came on that inbox. */
  count(name: string): number;
  /** Waits until `condition` holds; it is looked at now and whenever something arrives. */
  until(what: string, condition: () => boolean): Promise<void>;
}

/**
 * Listens on a family of subjects by one subscription, because the order between two subscriptions shows only where
 * both are read together.
 *
 * @param onMessage sees each message as it arrives, under the name of its inbox: to acknowledge at once, for example.
 */
export async function openWireLog(
  client: RawClient,
  onMessage: (name: string, message: RawMessage) => void = () => {},
): Promise<WireLog> {
  const base = newInbox();
  const all: RawMessage[] = [];
  const counts = new Map<string, number>();
  const waiters = new Set<() => void>();
  const subscription = await client.subscribe(`${base}.>`);
  subscription.messages.forward((message) => {
    const name = message.subject.slice(base.length + 1);
    all.push(message);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    onMessage(name, message);
    for (const waiter of waiters) waiter();
  });
  return {
    all,
    inbox: (name) => `${base}.${name}`,
    count: (name) => counts.get(name) ?? 0,
    until(what, condition): Promise<void> {
      const held = new Promise<void>((resolve) => {
        const look = (): void => {
          if (!condition()) return;
          waiters.delete(look);
          resolve();
        };
        waiters.add(look);
        look();
      });
      return within(2 * STEP_MILLIS, `${what} (${all.length} messages came)`, held);
    },
  };
}
