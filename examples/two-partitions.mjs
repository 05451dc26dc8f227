// Two servers on one machine share one cluster: each has its own channels, and a client that knows neither reaches both.
//
//   node examples/two-partitions.mjs
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import stan from "node-nats-streaming";
import { freePort, startServer } from "./server-process.mjs";

const conf = (name) => fileURLToPath(new URL(`two-partitions/${name}.conf`, import.meta.url));
const port = await freePort();
const url = `nats://127.0.0.1:${port}`;

// The first one brings the NATS network along; the second one joins it. Both could as well join a nats-server by -ns.
const orders = await startServer(["-sc", conf("orders"), "-a", "127.0.0.1", "-p", String(port)]);
const billing = await startServer(["-sc", conf("billing"), "-ns", url]);
console.log("two servers are ready");

const client = stan.connect("test-cluster", "shop", { url });
await once(client, "connect");
for (const channel of ["orders.eu.new", "billing.invoices"]) {
  const subscription = client.subscribe(channel, client.subscriptionOptions().setDeliverAllAvailable());
  await once(subscription, "ready");
  const arrived = once(subscription, "message");
  await new Promise((resolve, reject) =>
    client.publish(channel, `hello, ${channel}`, (error) => (error ? reject(error) : resolve())),
  );
  const [message] = await arrived;
  console.log(`${message.getSubject()} ${message.getSequence()}: ${message.getData()}`);
}

// A third server with a channel that somebody has is refused.
await startServer(["-sc", conf("orders"), "-ns", url]).catch((error) => {
  console.log(/channel "orders\.>" causes conflict/.exec(error.message)?.[0] ?? error.message);
});

client.close();
await once(client, "close");
await billing.stop();
await orders.stop();
