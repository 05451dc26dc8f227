/** The server process of the bench: a broker with local handlers, told what to do and asked what it cost over IPC. */
import { createBroker } from "../src/index.ts";
import type { ServerOrder, ServerReport } from "./protocol.ts";

const broker = createBroker({ host: "127.0.0.1", port: 0 });
const bus = broker.localBus("bench");
const reply = new Uint8Array(40).fill(0x72);

let count = 0;
let expected = Number.POSITIVE_INFINITY;
let cpu = process.cpuUsage();

function counted(): void {
  count++;
  if (count === expected) report();
}

function report(): void {
  const used = process.cpuUsage(cpu);
  send({ kind: "done", cpuMicros: used.user + used.system });
}

function send(message: ServerReport): void {
  process.send?.(message);
}

bus.subscribe("_STAN.pub.test-cluster.>", counted);
bus.subscribe("reply.>", (message) => {
  bus.publish(message.reply, reply);
  counted();
});

process.on("message", (order: ServerOrder) => {
  switch (order.kind) {
    case "expect":
      count = 0;
      expected = order.messages;
      cpu = process.cpuUsage();
      send({ kind: "ready" });
      break;
    case "report":
      report();
      break;
    case "stop":
      broker.close().then(() => process.disconnect());
  }
});

const { port } = await broker.listen();
send({ kind: "listening", port });
