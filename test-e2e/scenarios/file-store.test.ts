import { spawn } from "node:child_process";
import { chmod, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { type Child, startChild } from "../harness/child.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { connectRawStan } from "../harness/raw-stan.ts";
import { type Stage, tempDir } from "../harness/stage.ts";
import { connectStan, type ReceivedMessage } from "../harness/stan.ts";
import { fixtureDirectory, runFileServer, startFileServer } from "../harness/store-server.ts";
import { serverCommand, untilReady } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";

const texts = (messages: readonly ReceivedMessage[]): string[] => messages.map(({ text }) => text);

describe("a server with a file store", () => {
  it("keeps messages, durables and clients over a stop and over a kill", async () => {
    const stage = testStage();
    const directory = await tempDir(stage);
    const first = await startFileServer(stage, directory);
    const client = await connectStan(stage, "keeper", { port: first.port });
    for (let index = 1; index <= 5; index++) await client.publish("kept", `message ${index}`);
    const durable = await client.subscribe("kept", { durableName: "place", manualAcks: true, ackWaitMillis: 1000 });
    const received = await durable.messages.takeMany(5);
    received[0]?.ack();
    received[1]?.ack();
    // A request behind the acks: they have been handled.
    await durable.close();
    expect((await first.child.stop()).code).toBe(0);

    const second = await startFileServer(stage, directory);
    expect(second.log.map(({ text }) => text)).toContain("STREAM: Recovered 1 channel(s)");
    expect(await second.monitor.channel("kept")).toMatchObject({ msgs: 5, firstSequence: 1, lastSequence: 5 });
    // Nobody said goodbye: the client is still registered, and may come back under its name.
    expect(await second.monitor.clientIds()).toEqual(["keeper"]);
    const again = await connectStan(stage, "keeper", { port: second.port });
    const resumed = await again.subscribe("kept", { durableName: "place" });
    expect(texts(await resumed.messages.takeMany(3))).toEqual(["message 3", "message 4", "message 5"]);
    await again.publish("kept", "message 6");
    expect(texts(await resumed.messages.takeMany(1))).toEqual(["message 6"]);
    second.child.signal("SIGKILL");
    await second.child.exit();

    const third = await startFileServer(stage, directory);
    const last = await connectStan(stage, "keeper", { port: third.port });
    const all = await last.subscribe("kept");
    expect((await all.messages.takeMany(6)).map(({ sequence, text }) => [sequence, text])).toEqual(
      [1, 2, 3, 4, 5, 6].map((index) => [index, `message ${index}`]),
    );
    await last.close();
  });

  it("serves a directory that the Go server wrote, and goes on in it", async () => {
    const stage = testStage();
    const directory = await fixtureDirectory(stage, "basic-channels");
    const server = await startFileServer(stage, directory, ["-file_recovery", "strict"]);
    expect(server.log.map(({ text }) => text)).toContain("STREAM: Recovered 4 channel(s)");
    const client = await connectStan(stage, "newcomer", { port: server.port });
    const subscription = await client.subscribe("foo");
    expect(texts(await subscription.messages.takeMany(5))).toEqual(["hello", "world", "three", "four", "five"]);
    await client.publish("foo", "six");
    const sixth = await subscription.messages.take();
    expect([sixth.sequence, sixth.text]).toEqual([6, "six"]);
    await client.close();
    await server.child.stop();
    // One more record in the first slice, with its index record.
    expect((await stat(join(directory, "foo", "msgs.1.idx"))).size).toBe(4 + 6 * 32);
  });

  it("opens what the Go server encrypted, given the key, and encrypts what it adds", async () => {
    const stage = testStage();
    const directory = await fixtureDirectory(stage, "encrypted-aes");
    const expected: unknown = JSON.parse(
      await readFile(new URL("../fixtures/file-store/encrypted-aes/expected.json", import.meta.url), "utf8"),
    );
    const key = /"key": "([^"]+)"/.exec(JSON.stringify(expected, null, 1))?.[1] ?? "";
    expect(key).not.toBe("");
    const [channel] = (await readdir(directory, { withFileTypes: true })).filter((entry) => entry.isDirectory());
    const name = channel?.name ?? "";

    const server = await startFileServer(stage, directory, ["-encrypt", "-encryption_key", key]);
    const before = await server.monitor.channel(name);
    const client = await connectStan(stage, "reader", { port: server.port });
    await client.publish(name, "a plain text that must not be found");
    const subscription = await client.subscribe(name);
    const messages = await subscription.messages.takeMany(before.msgs + 1);
    expect(messages.at(-1)?.text).toBe("a plain text that must not be found");
    await client.close();
    await server.child.stop();
    const stored = await Promise.all(
      (await readdir(join(directory, name))).map((file) => readFile(join(directory, name, file), "latin1")),
    );
    expect(stored.join("")).not.toContain("must not be found");
  });

  it("CONF 8 takes the key from the environment, and says what is wrong with key and cipher", async () => {
    const stage = testStage();
    const directory = await tempDir(stage);
    const without = await runFileServer(stage, directory, ["-encrypt"]);
    expect([without.code, without.stderr]).toEqual([
      1,
      expect.stringContaining("Failed to start: encryption key required"),
    ]);
    const cipher = await runFileServer(stage, directory, [
      "-encrypt",
      "-encryption_key",
      "k",
      "-encryption_cipher",
      "DES",
    ]);
    expect([cipher.code, cipher.stderr]).toEqual([
      1,
      expect.stringContaining("Failed to start: encryption cipher not supported"),
    ]);
  });

  it("refuses a directory that another server uses, in one sentence with the directory and the holder", async () => {
    const stage = testStage();
    const directory = await tempDir(stage);
    const holder = await startFileServer(stage, directory);
    const refused = await runFileServer(stage, directory);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      `Failed to start: the store in directory ${directory} is in use by another server (pid ${holder.child.pid}): `,
    );
    // The refused one has left it as it was.
    const client = await connectStan(stage, "client", { port: holder.port });
    await client.publish("foo", "still served");
    await client.close();
    await holder.child.stop();
    await (await startFileServer(stage, directory)).child.stop();
  });

  it("FT-16 and the original's lock exclude each other in both directions", async () => {
    const stage = testStage();
    const directory = await tempDir(stage);
    const path = join(directory, ".rootdir.lck");
    await writeFile(path, "");
    const original = await holdLockAsTheOriginalDoes(stage, path);
    const refused = await runFileServer(stage, directory);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining(`in use by another server (pid ${original.pid}): `),
    ]);
    await original.release();

    const server = await startFileServer(stage, directory);
    expect(await triesLockAsTheOriginalDoes(path)).toBe(false);
    await server.child.stop();
    expect(await triesLockAsTheOriginalDoes(path)).toBe(true);
  });

  it("says what is wrong with a directory that is missing or cannot be made", async () => {
    const stage = testStage();
    const none = await runFileServer(stage, "");
    expect([none.code, none.stderr]).toEqual([
      1,
      expect.stringContaining("Failed to start: for FILE stores, root directory must be specified"),
    ]);
    const file = join(await tempDir(stage), "file");
    await writeFile(file, "");
    const below = await runFileServer(stage, join(file, "x"));
    expect([below.code, below.stderr]).toEqual([
      1,
      expect.stringContaining(`Failed to start: unable to create the root directory [${join(file, "x")}]: `),
    ]);
  });

  it("hands slices that limits remove to the archive script", async () => {
    const stage = testStage();
    const directory = await tempDir(stage);
    const archive = await tempDir(stage);
    const script = join(archive, "archive.sh");
    await writeFile(script, `#!/bin/sh\nmv "$2" "$3" "${archive}" && echo "$1 archived"\n`);
    await chmod(script, 0o755);
    const server = await startFileServer(stage, directory, [
      ...["-mm", "4", "-file_slice_max_msgs", "2", "-file_slice_archive_script", script],
    ]);
    const client = await connectStan(stage, "archivist", { port: server.port });
    for (let index = 1; index <= 10; index++) await client.publish("foo", `message ${index}`);
    await server.child.line("Output of archive script for foo (");
    await client.close();
    await server.child.stop();
    const archived = (await readdir(archive)).filter((name) => name.endsWith(".bak")).toSorted();
    expect(archived.slice(0, 2)).toEqual(["msgs.1.dat.bak", "msgs.1.idx.bak"]);
    expect(await readFile(join(archive, "msgs.1.dat.bak"), "latin1")).toContain("message 1");
  });

  it("serves many channels with few descriptors, and recovers several at a time", async () => {
    const stage = testStage();
    const directory = await tempDir(stage);
    const flags = ["-mc", "0", "-file_fds_limit", "20", "-file_parallel_recovery", "8"];
    const first = await startFileServer(stage, directory, flags);
    const names = Array.from({ length: 200 }, (_, index) => `many.${index}`);
    const client = await connectStan(stage, "many", { port: first.port });
    await Promise.all(names.map((name) => client.publish(name, `of ${name}`)));
    // Two files a channel; the rest are sockets, the log and the runtime's own.
    expect((await readdir(`/proc/${first.child.pid}/fd`)).length).toBeLessThan(100);
    await client.close();
    await first.child.stop();
    const second = await startFileServer(stage, directory, flags);
    expect(await second.monitor.channelNames()).toEqual(names.toSorted());
    const reader = await connectStan(stage, "reader", { port: second.port });
    const last = await reader.subscribe("many.199");
    expect((await last.messages.take()).text).toBe("of many.199");
    await reader.close();
  });

  it("serves and recovers more channels than the system lets it have files open", async () => {
    const stage = testStage();
    const directory = await tempDir(stage);
    const start = async (): Promise<{ readonly child: Child; readonly port: number }> => {
      const port = await freePort();
      const args = ["-store", "file", "-dir", directory, "-mc", "0", "-a", "127.0.0.1", "-p", String(port)];
      const limited = ["-c", 'ulimit -n 300 && exec "$0" "$@"', ...serverCommand(), ...args];
      const child = await startChild(stage, {
        name: "server with 300 descriptors",
        command: "bash",
        args: limited,
        missing: "bash is needed",
      });
      await untilReady(child);
      return { child, port };
    };
    const names = Array.from({ length: 900 }, (_, index) => `many.${index}`);
    for (const round of ["first", "second", "third"]) {
      const { child, port } = await start();
      const client = await connectStan(stage, `client of the ${round}`.replaceAll(" ", "-"), { port });
      await Promise.all(names.map((name) => client.publish(name, round)));
      // The store leaves clients their share of the descriptors.
      await Promise.all(Array.from({ length: 30 }, () => connectRaw(stage, { port })));
      await client.close();
      expect((await child.stop()).code).toBe(0);
    }
    const { port } = await start();
    const reader = await connectStan(stage, "reader", { port });
    for (const name of ["many.0", "many.899"]) {
      const subscription = await reader.subscribe(name);
      expect(texts(await subscription.messages.takeMany(3))).toEqual(["first", "second", "third"]);
    }
    await reader.close();
  });

  it("-recover_only puts the commit log into the files after a kill, and ends", async () => {
    const stage = testStage();
    const directory = await tempDir(stage);
    const server = await startFileServer(stage, directory);
    const raw = await connectRaw(stage, { port: server.port });
    const stan = await connectRawStan(raw, "killed");
    for (let index = 1; index <= 3; index++) expect((await stan.publish("foo", `m${index}`)).error).toBe("");
    server.child.signal("SIGKILL");
    await server.child.exit();
    // A crash of the machine may leave none of what was not synced; the commit log has it.
    for (const file of ["msgs.1.dat", "msgs.1.idx"]) await writeFile(join(directory, "foo", file), "");
    const recovered = await runFileServer(stage, directory, ["-recover_only"]);
    expect([recovered.code, recovered.stderr]).toEqual([0, expect.stringContaining("3 message(s), ")]);
    const strict = await startFileServer(stage, directory, ["-file_sync=false", "-file_recovery", "strict"]);
    expect(await strict.monitor.channel("foo")).toMatchObject({ msgs: 3, lastSequence: 3 });
  });

  it("cuts off a torn end when asked, but not at two starts in a row", async () => {
    const stage = testStage();
    const directory = await fixtureDirectory(stage, "truncated-subs-clients");
    const strict = ["-file_recovery", "strict"];
    const refused = await runFileServer(stage, directory, strict);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("unexpected EOF")]);
    const cut = await startFileServer(stage, directory, [...strict, "-file_truncate_bad_eof"]);
    await cut.child.stop();
    const twice = await runFileServer(stage, directory, [...strict, "-file_truncate_bad_eof"]);
    expect([twice.code, twice.stderr]).toEqual([
      1,
      expect.stringContaining("should not be opened consecutively with the TruncateUnexpectedEOF option set to true"),
    ]);
    await (await startFileServer(stage, directory, strict)).child.stop();
  });
});

/** `struct flock` of an exclusive lock over the whole file, as the original takes it. */
const PACKED_LOCK = "pack('s s x4 q q i x4', F_WRLCK, 0, 0, 0, 0)";

async function holdLockAsTheOriginalDoes(
  stage: Stage,
  path: string,
): Promise<{ readonly pid: number; release(): Promise<void> }> {
  const program = `use Fcntl; open(my $f, '+<', $ARGV[0]) or die; my $l = ${PACKED_LOCK}; fcntl($f, F_SETLK, $l) or die "busy"; $| = 1; print "locked\\n"; sleep 600;`;
  const child = await startChild(stage, {
    name: "holder of the lock",
    command: "perl",
    args: ["-e", program, path],
    missing: "perl is needed for this test",
  });
  await child.outputLine("locked");
  return {
    pid: child.pid,
    release: async () => {
      await child.stop("SIGKILL");
    },
  };
}

function triesLockAsTheOriginalDoes(path: string): Promise<boolean> {
  const program = `use Fcntl; open(my $f, '+<', $ARGV[0]) or die; my $l = ${PACKED_LOCK}; exit(fcntl($f, F_SETLK, $l) ? 0 : 7);`;
  return new Promise((resolve, reject) => {
    spawn("perl", ["-e", program, path]).once("close", (code) => {
      if (code === 0 || code === 7) resolve(code === 0);
      else reject(new Error(`perl ended with ${code}`));
    });
  });
}
