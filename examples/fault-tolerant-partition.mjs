// A partition served by a pair: one server is killed, the other takes over, and the client notices a pause at most.
//
//   node examples/fault-tolerant-partition.mjs
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createBroker } from "@nats-streaming/broker";
import stan from "node-nats-streaming";
import { startServer } from "./server-process.mjs";

// The network that everybody is on. In production: a cluster of nats-servers.
const broker = createBroker({ host: "127.0.0.1", port: 0 });
const { port } = await broker.listen();
const url = `nats://127.0.0.1:${port}`;

const directory = await mkdtemp(join(tmpdir(), "fault-tolerant-partition-"));
const conf = fileURLToPath(new URL("fault-tolerant-partition.conf", import.meta.url));
const flags = ["-sc", conf, "-dir", directory, "-ns", url];
const first = await startServer(flags);
const second = await startServer(flags, "Starting in standby mode");
console.log("one serves, one stands by");

const client = stan.connect("test-cluster", "shop", { url });
await once(client, "connect");
const options = client.subscriptionOptions().setDeliverAllAvailable().setDurableName("place");
const subscription = client.subscribe("orders.new", options);
await once(subscription, "ready");
const publish = (text) =>
  new Promise((resolve, reject) => client.publish("orders.new", text, (error) => (error ? reject(error) : resolve())));

// What came, and who waits for what. The server that is killed may not have written down yet that a message was acknowledged:
// then it comes once more.
const texts = new Set();
const came = (text) =>
  new Promise((resolve) => {
    if (texts.has(text)) resolve();
    else subscription.on("message", () => texts.has(text) && resolve());
  });
subscription.on("message", (message) => {
  if (!texts.has(message.getData())) console.log(message.getData());
  texts.add(message.getData());
});

await publish("before");
await came("before");
await first.stop("SIGKILL");
await second.said("Streaming Server is ready");
console.log("the other one has taken over");
await publish("after");
await came("after");

client.close();
await once(client, "close");
await second.stop();
await broker.close();
await rm(directory, { recursive: true });
