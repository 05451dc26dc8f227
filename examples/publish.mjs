// Publishes texts to a channel and waits until each is stored.
//
//   node examples/publish.mjs [--url nats://127.0.0.1:4222] [--cluster test-cluster] <channel> <text>...
import { parseArgs } from "node:util";
import stan from "node-nats-streaming";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: "string", default: "nats://127.0.0.1:4222" },
    cluster: { type: "string", default: "test-cluster" },
    // How long to wait for the server to confirm a message. No server confirms one for a channel that none is
    // responsible for.
    timeout: { type: "string", default: "2000" },
  },
});
const [channel, ...texts] = positionals;
if (channel === undefined || texts.length === 0) {
  console.error("usage: node examples/publish.mjs [--url URL] [--cluster ID] [--timeout MILLIS] <channel> <text>...");
  process.exit(2);
}

const client = stan.connect(values.cluster, `publisher-${process.pid}`, {
  url: values.url,
  ackTimeout: Number(values.timeout),
});

client.on("error", (error) => {
  console.error(`cannot connect: ${error.message ?? error}`);
  process.exit(1);
});

client.on("connect", async () => {
  for (const text of texts) {
    await new Promise((resolve) => {
      client.publish(channel, text, (error) => {
        if (error) {
          console.error(`not stored: ${text} (${error.message ?? error})`);
          process.exitCode = 1;
        } else {
          console.log(`stored: ${text}`);
        }
        resolve();
      });
    });
  }
  client.close();
});
