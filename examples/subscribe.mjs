// Prints the messages of a channel, from the first one on, until it is interrupted.
//
//   node examples/subscribe.mjs [--url nats://127.0.0.1:4222] [--cluster test-cluster] [--client ID]
//                               [--durable NAME] [--queue NAME] [--new] <channel>
import { parseArgs } from "node:util";
import stan from "node-nats-streaming";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: "string", default: "nats://127.0.0.1:4222" },
    cluster: { type: "string", default: "test-cluster" },
    // A durable subscription belongs to a client ID: give the same one to go on where you stopped.
    client: { type: "string", default: `subscriber-${process.pid}` },
    durable: { type: "string" },
    queue: { type: "string" },
    // Only messages published from now on.
    new: { type: "boolean", default: false },
  },
});
const [channel] = positionals;
if (channel === undefined) {
  console.error("usage: node examples/subscribe.mjs [--url URL] [--cluster ID] [--client ID] [--durable NAME]");
  console.error("                                   [--queue NAME] [--new] <channel>");
  process.exit(2);
}

const client = stan.connect(values.cluster, values.client, { url: values.url });

client.on("error", (error) => {
  console.error(`cannot connect: ${error.message ?? error}`);
  process.exit(1);
});

client.on("connect", () => {
  const options = client.subscriptionOptions();
  options.setStartAt(values.new ? stan.StartPosition.NEW_ONLY : stan.StartPosition.FIRST);
  if (values.durable !== undefined) options.setDurableName(values.durable);

  const subscription =
    values.queue === undefined ? client.subscribe(channel, options) : client.subscribe(channel, values.queue, options);
  subscription.on("ready", () => console.log(`subscribed to ${channel}`));
  subscription.on("message", (message) => console.log(`${message.getSequence()}: ${message.getData()}`));
  const fail = (error) => {
    console.error(`cannot subscribe to ${channel}: ${error.message ?? error}`);
    process.exitCode = 1;
    client.close();
  };
  subscription.on("error", fail);
  subscription.on("timeout", fail);
});

// A durable subscription survives the end of its client; every other one ends with it.
process.once("SIGINT", () => client.close());
client.on("close", () => process.exit());
