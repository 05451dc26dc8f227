import { freePort } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { openEmbeddedNetwork } from "../harness/networks.ts";
import { connectStan } from "../harness/stan.ts";
import { runServer } from "../harness/streaming-server.ts";
import { suiteStage } from "../harness/test-stage.ts";

describe("inspection from the terminal", () => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openEmbeddedNetwork(suite);
    const monitorPort = await freePort();
    await network.startServer({ args: ["-m", String(monitorPort)] });
    const client = await connectStan(suite, "me", { port: network.port });
    for (let i = 1; i <= 3; i++) await client.publish("foo.bar", JSON.stringify({ i }));
    await client.publish("baz", "x");
    await (await client.subscribe("foo.bar", { durableName: "dur" })).messages.takeMany(3);
    return `127.0.0.1:${monitorPort}`;
  });
  const inspect = async (...args: string[]) => {
    const server = await started();
    return runServer(suite, [...args, "--server", server]);
  };

  it("lists channels, as a table and as JSON", async () => {
    const { code, stdout, stderr } = await inspect("channels");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^CHANNEL +MESSAGES +SIZE .*\nbaz +1 .*\nfoo\.bar +3 .*\n$/);
    expect(JSON.parse((await inspect("channels", "foo", "--json")).stdout)).toEqual([
      expect.objectContaining({ name: "foo.bar", msgs: 3 }),
    ]);
  });

  it("lists clients and subscriptions", async () => {
    expect((await inspect("clients")).stdout).toMatch(/^CLIENT .*\nme +1 +_INBOX\./);
    expect((await inspect("subscriptions", "foo.bar")).stdout).toMatch(/^foo\.bar +me +dur +live +3 /m);
    expect(JSON.parse((await inspect("subscriptions", "--client", "me", "--json")).stdout)).toEqual([
      expect.objectContaining({ channel: "foo.bar", durable_name: "dur" }),
    ]);
  });

  it("prints messages from a sequence and from the end", async () => {
    const { stdout } = await inspect("messages", "foo.bar", "--last", "1");
    expect(stdout).toMatch(/^#3 {2}\S+ {2}7 B\n\{\n {2}"i": 3\n\}\n$/);
    const json = JSON.parse((await inspect("messages", "foo.bar", "--from", "2", "--json")).stdout);
    expect(json.map(({ seq }: { seq: number }) => seq)).toEqual([2, 3]);
  });

  it("shows rates once where there is no terminal", async () => {
    const { code, stdout } = await inspect("top", "--every", "0.2");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^test-cluster .* STANDALONE .*\nin 0 msg\/s/);
  });

  it("fails with the server's words, with a hint when nobody answers, and with usage", async () => {
    expect(await inspect("messages", "nope")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Channel nope not found"),
    });
    const silent = await runServer(suite, ["channels", "--server", `127.0.0.1:${await freePort()}`]);
    expect(silent).toMatchObject({ code: 1, stderr: expect.stringContaining("does not answer") });
    expect(await inspect("channels", "--nope")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("unknown flag --nope"),
    });
    expect((await inspect("top", "--help")).stdout).toContain("Usage: nats-streaming-server top");
  });
});
