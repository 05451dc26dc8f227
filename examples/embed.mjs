// A streaming server inside this process: nothing else has to run.
import { runServer } from "@nats-streaming/server";

const server = await runServer({
  port: -1, // a free one
  store_limits: { max_channels: 10 },
});
server.on("failed", (reason) => console.error(reason));

console.log(`${server.state} at ${server.clientUrl}`);
await server.close();
console.log(server.state);
