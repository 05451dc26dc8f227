import { type Bus, nuidSource, type Random } from "@nats-streaming/kernel";
import { textToByteString } from "@nats-streaming/protocol";
import { clientSubjects } from "@nats-streaming/protocol/stan";

/** How long a server that is not partitioned has to answer. @see protocol.md 15.1 */
const ANSWER_MILLIS = 250;

/**
 * Whether a server that is not partitioned runs under this cluster ID. It alone listens on every channel; a partitioned one
 * that listens on a channel of our list has objected to it. So one publish on a channel of the list that no server accepts,
 * since it is empty, shows it: it is refused.
 *
 * Nobody hears the question where there is none, and then the answer takes no time.
 * @param entries text, at least one
 * @see partitioning.md 11, 19 D10
 */
export async function findsUnpartitionedServer(options: {
  readonly bus: Bus;
  readonly clusterId: string;
  readonly entries: readonly string[];
  readonly random: Random;
}): Promise<boolean> {
  const [entry] = options.entries;
  if (entry === undefined) return false;
  const anything = nuidSource(options.random)();
  const channel = entry
    .split(".")
    .map((token) => (token === "*" || token === ">" ? anything : token))
    .join(".");
  const { publish } = clientSubjects({ clusterId: textToByteString(options.clusterId) });
  const answer = await options.bus.request(`${publish}.${textToByteString(channel)}`, new Uint8Array(0), ANSWER_MILLIS);
  return answer.kind === "reply";
}
