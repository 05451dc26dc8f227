// A NATS server inside a test suite: nothing to install, nothing left running, a free port for each test.
//
//   node --test examples/broker.test.mjs
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { createBroker } from "@nats-streaming/broker";
import { connect, StringCodec } from "nats";

const text = StringCodec();
let broker;
let servers;

beforeEach(async () => {
  broker = createBroker({ host: "127.0.0.1", port: 0 });
  const { port } = await broker.listen();
  servers = `127.0.0.1:${port}`;
});

afterEach(() => broker.close());

test("the greeter answers with a greeting", async () => {
  // What is tested: it would be imported from elsewhere.
  const service = await connect({ servers });
  service.subscribe("greet", { callback: (_error, message) => message.respond(text.encode("hello")) });
  await service.flush();

  const client = await connect({ servers });
  const reply = await client.request("greet", text.encode("who is there?"), { timeout: 1000 });
  assert.equal(text.decode(reply.data), "hello");
  await client.close();
  await service.close();
});

test("nobody answers when no service runs, and the client knows at once", async () => {
  const client = await connect({ servers });
  await assert.rejects(client.request("greet", undefined, { timeout: 1000 }), { code: "503" });
  await client.close();
});
