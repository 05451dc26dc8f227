import { stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tempDir } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";
import { startStoreServer } from "../harness/store-server.ts";
import { runServer } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";

describe("a server with its store in SQLite", () => {
  it("makes the database by itself, and keeps messages and durables over a restart", async () => {
    const stage = testStage();
    const file = join(await tempDir(stage), "stan.db");
    const flags = ["-store", "sql", "-sql_driver", "sqlite", "-sql_source", file];
    const first = await startStoreServer(stage, flags);
    expect((await stat(file)).size).toBeGreaterThan(0);
    const client = await connectStan(stage, "keeper", { port: first.port });
    for (let index = 1; index <= 5; index++) await client.publish("kept", `message ${index}`);
    const durable = await client.subscribe("kept", { durableName: "place", manualAcks: true });
    const received = await durable.messages.takeMany(5);
    for (const message of received.slice(0, 3)) message.ack();
    await durable.close();
    await first.child.stop();
    const second = await startStoreServer(stage, flags);
    const again = await connectStan(stage, "keeper", { port: second.port });
    const resumed = await again.subscribe("kept", { durableName: "place" });
    expect((await resumed.messages.takeMany(2)).map(({ text }) => text)).toEqual(["message 4", "message 5"]);
    expect((await second.monitor.get("storez"))["type"]).toBe("SQL");
    await again.close();
  });

  it("encrypts what is in the database, if asked", async () => {
    const stage = testStage();
    const file = join(await tempDir(stage), "stan.db");
    const flags = ["-store", "sql", "-sql_driver", "sqlite", "-sql_source", file, "-encrypt", "-encryption_key", "k"];
    const server = await startStoreServer(stage, flags);
    const client = await connectStan(stage, "writer", { port: server.port });
    await client.publish("secret", "a plain text that must not be found");
    const subscription = await client.subscribe("secret");
    expect((await subscription.messages.take()).text).toBe("a plain text that must not be found");
    await client.close();
    await server.child.stop();
    const { readFile } = await import("node:fs/promises");
    expect((await readFile(file)).includes("must not be found")).toBe(false);
  });

  it.each([
    [["-store", "sql"], "sql: no driver given: set it to sqlite, postgres or mysql"],
    [["-store", "sql", "-sql_driver", "sqlite"], "sql: no data source given: for sqlite it is the name of a file"],
    [
      ["-store", "sql", "-sql_driver", "oracle", "-sql_source", "x"],
      'sql: unknown driver "oracle" (forgotten import?)',
    ],
  ])("SQL-Q3 %j is refused with status 1", async (flags, text) => {
    const stage = testStage();
    const end = await runServer(stage, [...flags, "-a", "127.0.0.1", "-p", "-1"]);
    expect([end.code, end.stderr]).toEqual([1, expect.stringContaining(`Failed to start: ${text}`)]);
  });

  it("prints its schema, and refuses to print that of nobody", async () => {
    const stage = testStage();
    const printed = await runServer(stage, ["-sql_print_schema", "-sql_driver", "sqlite"]);
    expect([printed.code, printed.stdout]).toEqual([0, expect.stringContaining("CREATE TABLE")]);
    const none = await runServer(stage, ["-sql_print_schema"]);
    expect([none.code, none.stderr]).toEqual([
      1,
      "no driver given: name it with -sql_driver sqlite, postgres or mysql\n",
    ]);
  });
});
