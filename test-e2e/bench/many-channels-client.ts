import { manualStage } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";

/*
 * Makes channels with a message and a durable each, says that they are there, and stays connected until it is ended: what
 * `stretches.bench.ts` runs beside the server. Arguments: port and number of channels.
 */

/** Requests on their way at a time. */
const AT_ONCE = 512;

const [port, count] = process.argv.slice(2).map(Number);
const client = await connectStan(manualStage(), "beside", { port: port ?? 0, requestMillis: 60_000 });
const channels = manyChannels(count ?? 0);
for (let at = 0; at < channels.length; at += AT_ONCE) {
  await Promise.all(
    channels.slice(at, at + AT_ONCE).map(async (channel) => {
      await client.publish(channel, "x");
      await client.subscribe(channel, { durableName: "dur" });
    }),
  );
}
process.send?.("ready");

/** Names out of order. */
function manyChannels(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `orders.${(i * 7_919) % count}.created`);
}
