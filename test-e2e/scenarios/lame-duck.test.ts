import { freePort } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { leaveOutNatsServer, startNatsServer } from "../harness/nats-server.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { connectStan } from "../harness/stan.ts";
import { configFile, launchServer, untilReady } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";

describe("lame duck mode", () => {
  it("OPS-01 SIGUSR2: the server keeps serving for the grace period, then sends clients away and ends with 0", async () => {
    const stage = testStage();
    const port = await freePort();
    const path = await configFile(stage, 'lame_duck_grace_period: "1s", lame_duck_duration: "2s"');
    const args = ["-c", path, "-a", "127.0.0.1", "-p", String(port), "-D"];
    const child = await launchServer(stage, "server", args);
    await untilReady(child);
    const client = await connectStan(stage, "staying", { port });
    await client.publish("foo", "before");
    child.signal("SIGUSR2");
    await child.line("[INF] Entering lame duck mode, stop accepting new clients");
    await client.publish("foo", "during");
    const subscription = await client.subscribe("foo");
    const texts = (await subscription.messages.takeMany(2)).map(({ text }) => text);
    expect(texts).toEqual(["before", "during"]);
    await expect(connectRaw(stage, { port })).rejects.toThrow();
    const end = await child.exit();
    expect([end.code, end.signal]).toEqual([0, null]);
    const said = child.lines.map((line) => line.replace(/^.*? \[INF\] /, ""));
    const steps = ["Closing existing clients", "STREAM: Shutting down.", "Initiating Shutdown...", "Server Exiting.."];
    expect(said.filter((line) => steps.includes(line))).toEqual(steps);
  });

  it("a signal to stop ends it early", async () => {
    const stage = testStage();
    const port = await freePort();
    const child = await launchServer(stage, "server", ["-a", "127.0.0.1", "-p", String(port)]);
    await untilReady(child);
    await connectRaw(stage, { port });
    child.signal("SIGUSR2");
    await child.line("Entering lame duck mode");
    const end = await child.stop("SIGTERM");
    expect(end.code).toBe(143);
    expect(end.stderr.split("STREAM: Shutting down.")).toHaveLength(2);
  });

  it.skipIf(leaveOutNatsServer)(
    "with an external NATS server says that there is nobody to send away, and nothing else happens",
    async () => {
      const stage = testStage();
      const nats = await startNatsServer(stage);
      const child = await launchServer(stage, "server", ["-ns", nats.url]);
      await untilReady(child);
      child.signal("SIGUSR2");
      await child.line(
        "[WRN] STREAM: Lame duck mode: clients are on the external NATS server, there is nobody to send away",
      );
      const client = await connectStan(stage, "served", { port: nats.port });
      await client.publish("foo", "x");
      await client.close();
      expect((await child.stop()).code).toBe(0);
    },
  );
});
