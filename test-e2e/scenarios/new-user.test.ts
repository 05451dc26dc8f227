import { once } from "node:events";
import { chmod, mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { freePort } from "@nats-streaming/kernel/testing";
import { connect } from "nats";
import { describe, expect, it } from "vitest";
import { type Exit, startChild } from "../harness/child.ts";
import { type Stage, tempDir } from "../harness/stage.ts";
import { configFile, launchServer, serverCommand, startListening } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";
import { EXPIRED_PAIR, tlsFiles } from "./tls-files.ts";

/*
 * What somebody sees who starts the server for the first time and gets something wrong. The texts below are the transcript: the
 * last line is for scripts, in the original's words where it has some; the line above it says what to do.
 */

const EXIT_MILLIS = 20_000;

/** Whom nobody has given any rights. */
const NOBODY = 65_534;

interface Ending {
  readonly code: number | null;
  /** Standard error without process and time; of a log, the last two lines. */
  readonly said: readonly string[];
}

const BANNER_LEVELS = /^\[(INF|DBG)\] /;

function ending({ code, stderr }: Exit): Ending {
  const lines = stderr.trimEnd().split("\n");
  const texts = lines.map((line) => line.replace(/^\[\d+\] \S+ \S+ /, ""));
  return { code, said: texts.filter((text) => !BANNER_LEVELS.test(text)) };
}

/** Runs the server until it gives up. */
async function start(stage: Stage, args: readonly string[]): Promise<Ending> {
  const child = await launchServer(stage, "server", args);
  return ending(await child.exit(EXIT_MILLIS));
}

/** The same as a user without rights; whoever runs the tests without being root is one. */
async function startAsNobody(stage: Stage, args: readonly string[]): Promise<Ending> {
  const [command, ...first] = serverCommand();
  const uid = process.getuid?.() === 0 ? { uid: NOBODY } : {};
  const options = { name: "server of nobody", command, args: [...first, ...args], missing: command, ...uid };
  return ending(await (await startChild(stage, options)).exit(EXIT_MILLIS));
}

async function listening(): Promise<string[]> {
  return ["-a", "127.0.0.1", "-p", String(await freePort())];
}

/** Takes a port away. */
async function takenPort(stage: Stage): Promise<number> {
  const port = await freePort();
  const taker = createServer().listen(port, "127.0.0.1");
  stage.defer(() => {
    taker.close();
  });
  await once(taker, "listening");
  return port;
}

describe("a new user", () => {
  it("is told of a port that cannot be", async () => {
    expect(await start(testStage(), ["-p", "80999"])).toEqual({
      code: 1,
      said: ["port 80999 is out of the range 0 to 65535", "see -p, port; -1 takes a free port"],
    });
  });

  it("is told of a port in use, and what to do", async () => {
    const stage = testStage();
    const port = await takenPort(stage);
    expect(await start(stage, ["-a", "127.0.0.1", "-p", String(port)])).toEqual({
      code: 1,
      said: [
        "[ERR] STREAM: Another process has that port, maybe a server that still runs: stop it, or choose another port with -p (port in the file)",
        `[FTL] Error listening on port: 127.0.0.1:${port}, "listen tcp 127.0.0.1:${port}: bind: address already in use"`,
      ],
    });
  });

  it("is told of an address that is not this machine's", async () => {
    const { code, said } = await start(testStage(), ["-a", "192.0.2.1", "-p", "4222"]);
    expect(code).toBe(1);
    expect(said).toEqual([
      "[ERR] STREAM: No network interface of this machine has that address: name one that is its own with -a (host in the file), or 0.0.0.0 for all",
      '[FTL] Error listening on port: 192.0.2.1:4222, "listen tcp 192.0.2.1:4222: bind: cannot assign requested address"',
    ]);
  });

  it("is told of a directory in which the server may not write", async () => {
    const stage = testStage();
    const locked = join(await tempDir(stage), "locked");
    await mkdir(locked);
    await chmod(locked, 0o500);
    await chmod(join(locked, ".."), 0o755);
    const directory = join(locked, "data");
    const { code, said } = await startAsNobody(stage, [...(await listening()), "-store", "file", "-dir", directory]);
    expect(code).toBe(1);
    expect(said).toEqual([
      expect.stringMatching(
        /^\[ERR\] STREAM: The user that runs the server \(user ID \d+\) must be allowed to write there: chown it, or choose another one with -dir$/,
      ),
      `[FTL] STREAM: Failed to start: unable to create the root directory [${directory}]: mkdir ${directory}: permission denied`,
    ]);
  });

  it("is told of a key file that the server may not read", async () => {
    const stage = testStage();
    const { server } = await tlsFiles(stage);
    await chmod(join(server.key, ".."), 0o755);
    await chmod(server.cert, 0o644);
    await chmod(server.key, 0o000);
    const args = [...(await listening()), "-tls", "-tlscert", server.cert, "-tlskey", server.key];
    const { code, said } = await startAsNobody(stage, args);
    expect(code).toBe(1);
    expect(said).toEqual([
      expect.stringMatching(/^\[ERR\] STREAM: let the user that runs the server read it \(user ID \d+\)$/),
      `[FTL] STREAM: Failed to start: cannot read the TLS private key file: open ${server.key}: permission denied`,
    ]);
  });

  it("is told of a certificate that is not there, and of one that belongs to another key", async () => {
    const stage = testStage();
    const files = await tlsFiles(stage);
    const listen = await listening();
    expect(await start(stage, [...listen, "-tls", "-tlscert", "nope.pem", "-tlskey", files.server.key])).toEqual({
      code: 1,
      said: [
        `[ERR] STREAM: check the path; one that does not begin with / is looked for in ${process.cwd()}`,
        "[FTL] STREAM: Failed to start: cannot read the TLS certificate file: open nope.pem: no such file or directory",
      ],
    });
    expect(await start(stage, [...listen, "-tlscert", files.server.cert, "-tlskey", files.client.key])).toEqual({
      code: 1,
      said: [
        "[ERR] STREAM: name the key that the certificate was made for",
        `[FTL] STREAM: Failed to start: the TLS certificate in ${files.server.cert} and the private key in ${files.client.key} do not belong together`,
      ],
    });
    expect(await start(stage, [...listen, "-tls"])).toEqual({
      code: 1,
      said: [
        "TLS Server certificate must be present and valid",
        "name the server's certificate and its key: -tlscert server-cert.pem -tlskey server-key.pem",
      ],
    });
  });

  it("is warned of an expired certificate of his own, which clients refuse, and told of one of the NATS server", async () => {
    const stage = testStage();
    const { expired } = await tlsFiles(stage);
    const { port, child } = await startListening(stage, ["-tls", "-tlscert", expired.cert, "-tlskey", expired.key]);
    const warning = await child.line("[WRN]");
    expect(warning).toContain(
      `The TLS certificate in ${expired.cert} has expired on 2021-01-01: peers refuse it, renew it`,
    );
    const tls = { ca: EXPIRED_PAIR.certificate };
    await expect(connect({ port, tls, reconnect: false })).rejects.toThrow("certificate has expired");

    const args = ["-ns", `nats://127.0.0.1:${port}`, "-tls_client_cacert", expired.cert];
    expect(await start(stage, args)).toEqual({
      code: 1,
      said: [
        `[ERR] STREAM: cannot connect to NATS at 127.0.0.1:${port}: certificate has expired; renew the certificate of the NATS server, or look at this machine's clock`,
        "[FTL] STREAM: Failed to start: x509: certificate has expired or is not yet valid",
      ],
    });
  });

  it("is told of a wrong password towards NATS, without reading it in the log", async () => {
    const stage = testStage();
    const { port } = await startListening(stage, ["-user", "ivan", "-pass", "secret"]);
    const { code, said } = await start(stage, ["-ns", `nats://ivan:wrong@127.0.0.1:${port}`]);
    expect({ code, said }).toEqual({
      code: 1,
      said: [
        `[ERR] STREAM: cannot connect to NATS at 127.0.0.1:${port}: authorization violation; check user, password, token, nkey or credentials`,
        "[FTL] STREAM: Failed to start: nats: Authorization Violation",
      ],
    });
  });

  it("is told of a NATS server that is not there, of a host that nobody knows, and of a URL that is none", async () => {
    const stage = testStage();
    const port = await freePort();
    expect(await start(stage, ["-ns", `nats://127.0.0.1:${port}`])).toEqual({
      code: 1,
      said: [
        `[ERR] STREAM: cannot connect to NATS at 127.0.0.1:${port}: connection refused; is the NATS server running there?`,
        "[FTL] STREAM: Failed to start: nats: no servers available for connection",
      ],
    });
    const unknown = await start(stage, ["-ns", "nats://no.such.host.invalid:4222"]);
    expect(unknown.code).toBe(1);
    expect(unknown.said[0]).toMatch(/the name of the host is not known here: check -ns \(nats_server_url\)/);
    expect(unknown.said.at(-1)).toBe(
      "[FTL] STREAM: Failed to start: dial tcp: lookup no.such.host.invalid: no such host",
    );
    for (const [url, reason] of [
      ["127.0.0.1:4222", "malformed url: 127.0.0.1:4222"],
      ["localhost", "malformed url: localhost"],
      ["nats://localhost", "address localhost: missing port in address"],
    ] as const) {
      expect(await start(stage, ["-ns", url])).toEqual({
        code: 1,
        said: ["[ERR] STREAM: Write -ns nats://host:4222", `[FTL] STREAM: Failed to start: ${reason}`],
      });
    }
  });

  it("is told of files that are missing towards NATS", async () => {
    const stage = testStage();
    const seed = await configFile(stage, 'streaming { nkey_seed_file: "nope.nk" }');
    const place = `[ERR] STREAM: check the path; one that does not begin with / is looked for in ${process.cwd()}`;
    expect(await start(stage, ["-ns", "nats://127.0.0.1:1", "-sc", seed])).toEqual({
      code: 1,
      said: [
        place,
        "[FTL] STREAM: Failed to start: cannot read the NKey seed file: open nope.nk: no such file or directory",
      ],
    });
    expect(await start(stage, ["-ns", "nats://127.0.0.1:1", "-tls_client_cacert", "nope.pem"])).toEqual({
      code: 1,
      said: [
        place,
        "[FTL] STREAM: Failed to start: cannot read the TLS CA file: open nope.pem: no such file or directory",
      ],
    });
  });

  it("is shown the place of a fault in a configuration file", async () => {
    const stage = testStage();
    const path = await configFile(stage, "partitioning: true\nstore_limits: { channels: { foo: {}  bar: {} } }\n");
    const { code, said } = await start(stage, ["-sc", path]);
    expect(code).toBe(1);
    expect(said).toEqual([
      `Parse error on line 2: 'Expected a map value terminator "," or a map terminator "}", but got 'b' instead.'`,
      `at ${path}:2:38`,
      "  store_limits: { channels: { foo: {}  bar: {} } }",
      "                                       ^",
      'put "," or a new line between two pairs, and a text with spaces in quotes',
    ]);
    expect(await start(stage, ["-sc", "nope.conf"])).toMatchObject({
      code: 1,
      said: expect.arrayContaining(["open nope.conf: no such file or directory"]),
    });
  });

  it("is told of a misspelled flag with the nearest one, and warned of a misspelled key", async () => {
    const stage = testStage();
    expect(await start(stage, ["-stor", "file"])).toEqual({
      code: 2,
      said: ["flag provided but not defined: -stor", "did you mean -store? -help shows every flag"],
    });
    const path = await configFile(stage, "max_chanels: 5\n");
    expect((await start(stage, ["-sc", path, "-t"])).said).toEqual([
      `${path}:1:1: unknown key "max_chanels" is ignored; did you mean "max_channels" inside store_limits { }?`,
    ]);
  });

  it.each([
    [["-store", "flie"], "unsupported store type: FLIE", "-store (store in the file) is memory, file or sql"],
    [
      ["-store", "file"],
      "for FILE stores, root directory must be specified",
      "Name the directory: -dir /var/lib/stan (dir in the file)",
    ],
    [
      ["-encrypt"],
      "encryption key required",
      "Set the key in the environment, NATS_STREAMING_ENCRYPTION_KEY, where it shows least; or encryption_key in the file",
    ],
    [
      ["-encryption_key", "k", "-encryption_cipher", "DES"],
      "encryption cipher not supported",
      "-encryption_cipher (encryption_cipher in the file) is AES or CHACHA",
    ],
    [
      ["-store", "sql", "-sql_driver", "xx", "-sql_source", "y"],
      'sql: unknown driver "xx" (forgotten import?)',
      "-sql_driver (driver in sql_options) is sqlite, postgres or mysql",
    ],
  ])("OPS-12 OPS-19 who starts with %j is told what is missing", async (args, reason, remedy) => {
    const stage = testStage();
    expect(await start(stage, [...(await listening()), ...args])).toEqual({
      code: 1,
      said: [`[ERR] STREAM: ${remedy}`, `[FTL] STREAM: Failed to start: ${reason}`],
    });
  });

  it("is told of a log file that cannot be opened, before there is a log", async () => {
    const { code, said } = await start(testStage(), [...(await listening()), "-l", "/nonexistent/x.log"]);
    expect(code).toBe(1);
    expect(said).toEqual([
      expect.stringMatching(
        /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d error opening file: open \/nonexistent\/x\.log: no such file or directory$/,
      ),
      "name a file in a directory that is there and that the user of the server may write to: -l (logfile in the file)",
    ]);
  });
});
