import type { FileRead } from "@nats-streaming/config";
import { durationFromMillis } from "@nats-streaming/kernel";
import { describe, expect, it } from "vitest";
import type { NatsOptions } from "./nats-options.ts";
import { formatWarning } from "./option-warning.ts";
import { type OptionsError, type ResolvedOptions, type RunRequest, resolveOptions } from "./resolve-options.ts";

function resolve(text: string, flags: readonly string[] = []): ResolvedOptions {
  const readFile = (path: string): FileRead =>
    path === "n.conf" ? { kind: "text", text } : { kind: "failed", reason: path };
  return resolveOptions(["-c", "n.conf", ...flags], {}, { readFile });
}

function run(text: string, flags?: readonly string[]): RunRequest {
  const resolved = resolve(text, flags);
  if (resolved.kind !== "run") throw new Error(resolved.kind === "error" ? resolved.text : resolved.kind);
  return resolved;
}

function nats(text: string): NatsOptions {
  return run(text).nats;
}

function refused(text: string): OptionsError {
  const resolved = resolve(text);
  if (resolved.kind !== "error") throw new Error(resolved.kind);
  return resolved;
}

describe("NATS options of the file", () => {
  it("reads addresses in every form", () => {
    expect(nats("listen: 127.0.0.1:4333")).toMatchObject({ host: "127.0.0.1", port: 4333 });
    expect(nats("listen: 4333")).toMatchObject({ host: "0.0.0.0", port: 4333 });
    expect(nats('listen: "[::1]:-1"')).toMatchObject({ host: "::1", port: -1 });
    expect(nats("listen: localhost:1\nport: 2")).toMatchObject({ host: "localhost", port: 2 });
    for (const key of ["host", "net", "addr"]) expect(nats(`${key}: h`).host).toBe("h");
    expect(nats('http: "localhost:8222"')).toMatchObject({ httpHost: "localhost", httpPort: 8222, httpsPort: 0 });
    expect(nats("monitor_port: 8222").httpPort).toBe(8222);
    const tls = "tls { cert_file: c, key_file: k }";
    expect(nats(`https: 8443, ${tls}`)).toMatchObject({ httpHost: "", httpPort: 0, httpsPort: 8443 });
    expect(nats(`https_port: 8443, ${tls}`).httpsPort).toBe(8443);
  });

  it("reads limits, times and logging", () => {
    const text = `SERVER_NAME: n, max_payload: 2mb, max_conn: 5, max_control_line: 2k, max_pending: 1MB, write_deadline: "2s"
      ping_interval: "1m", ping_max: 3, logfile: l, logtime: no, debug: yes, trace: on, trace_verbose: true, log_size_limit: 1k
      max_traced_msg_len: 9, syslog: true, remote_syslog: "udp://h:514", pid_file: p, ports_file_dir: d, max_subs: 7
      max_sub_tokens: 8, client_advertise: "h:1", lame_duck_duration: "40s", lame_duck_grace_period: "5s"`;
    expect(nats(text)).toMatchObject({
      serverName: "n",
      maxPayloadBytes: 2_097_152,
      maxConnections: 5,
      maxControlLineBytes: 2_000,
      maxPendingBytes: 1_048_576,
      writeDeadline: durationFromMillis(2_000),
      pingInterval: durationFromMillis(60_000),
      pingMax: 3,
      logFile: "l",
      logTime: false,
      debug: true,
      trace: true,
      traceVerbose: true,
      logSizeLimitBytes: 1_000,
      maxTracedMessageLength: 9,
      syslog: true,
      remoteSyslog: "udp://h:514",
      pidFile: "p",
      portsFileDirectory: "d",
      maxSubscriptions: 7,
      maxSubscriptionTokens: 8,
      clientAdvertise: "h:1",
      lameDuckDuration: durationFromMillis(40_000),
      lameDuckGracePeriod: durationFromMillis(5_000),
    });
  });

  it("reads authorization", () => {
    expect(nats("authorization { user: a, pass: $2a$11$hash, timeout: 1.5 }").authorization).toMatchObject({
      user: "a",
      password: "$2a$11$hash",
      timeout: durationFromMillis(1_500),
    });
    expect(nats('authorization { token: t, timeout: "3s" }').authorization).toMatchObject({
      token: "t",
      timeout: durationFromMillis(3_000),
    });
    const { users, defaultPermissions } = nats(`authorization {
      default_permissions { publish: "x" }
      users: [ {user: a, password: b, permissions: {subscribe: ["s"]}}, {username: c}, {nkey: N, allowed_connection_types: [STANDARD]} ]
    }`).authorization;
    expect(defaultPermissions).toEqual({
      publish: { allow: ["x"], deny: undefined },
      subscribe: undefined,
      responses: undefined,
    });
    expect(users.map(({ user, password, nkey }) => ({ user, password, nkey }))).toEqual([
      { user: "a", password: "b", nkey: "" },
      { user: "c", password: "", nkey: "" },
      { user: "", password: "", nkey: "N" },
    ]);
    expect(users[0]?.permissions?.subscribe).toEqual({ allow: ["s"], deny: undefined });
  });

  it("takes seconds where a duration was once a number, with a warning", () => {
    const { nats: options, warnings } = run("write_deadline: 5");
    expect(options.writeDeadline).toBe(durationFromMillis(5_000));
    expect(warnings.map(formatWarning)).toEqual([
      'n.conf:1:1: invalid use of field "write_deadline": write_deadline should be converted to a duration; 5 is taken as seconds',
    ]);
  });

  it.each([
    ["listen: foo", 'n.conf:1:0: could not parse address string "foo"'],
    ["listen: 1.5", "n.conf:1:0: expected port or host:port, got float64"],
    ['listen: "a:b"', 'n.conf:1:0: could not parse port "b"'],
    ["\n debug: 5", 'n.conf:2:2: parameter "debug" value is expected to be bool, got int64'],
    ["port: x", 'n.conf:1:0: parameter "port" value is expected to be int64, got string'],
    ["write_deadline: x", 'n.conf:1:0: time: invalid duration "x"'],
    ["authorization { foo: 1 }", 'n.conf:1:16: unknown field "foo"'],
    ["authorization { users: [{user: a, password: b, foo: 1}] }", 'n.conf:1:47: unknown field "foo"'],
    ["authorization { users: 5 }", "n.conf:1:16: Expected users field to be an array, got 5"],
    ["authorization { users: [x] }", "n.conf:1:24: Expected user entry to be a map/struct, got x"],
    ["authorization { users: [{password: x}] }", "n.conf:1:24: User entry requires a user"],
    ["authorization { users: [{user: a},{user: a}] }", 'n.conf:1:34: Duplicate user "a" detected'],
    ["authorization { user: a, users: [{user: a}] }", "n.conf:1:0: Can not have a single user/pass and a users array"],
    ["authorization { token: t, user: u }", "n.conf:1:0: Cannot have a user/pass and token"],
    ["authorization { permissions: 5 }", "n.conf:1:16: Expected permissions to be a map/struct, got 5"],
    ["authorization { user: 5 }", 'n.conf:1:16: parameter "user" value is expected to be string, got int64'],
    ["\ncluster: { node_id: a }", 'n.conf:2:12: unknown field "node_id"'],
    ["cluster { foo: 1 }", 'n.conf:1:10: unknown field "foo"'],
    ["tls: { client_cert: a }", 'n.conf:1:7: error parsing tls config, unknown field ["client_cert"]'],
  ])("refuses %j", (text, message) => {
    expect(refused(text)).toMatchObject({ text: message, exitCode: 1, stream: "stderr" });
  });

  it("reads permissions in every form", () => {
    const of = (text: string): unknown => {
      const { users } = nats(
        `authorization { users: [{user: a, password: b, permissions: { ${text} }}] }`,
      ).authorization;
      return users[0]?.permissions;
    };
    const nothing = { publish: undefined, subscribe: undefined, responses: undefined };
    expect(of('pub: "a", sub: ["b", "c workers"]')).toEqual({
      ...nothing,
      publish: { allow: ["a"], deny: undefined },
      subscribe: { allow: ["b", "c workers"], deny: undefined },
    });
    expect(of('publish: { allow: "a", deny: ["b"] }')).toEqual({
      ...nothing,
      publish: { allow: ["a"], deny: ["b"] },
    });
    expect(of("allow_responses: true")).toEqual({ ...nothing, responses: { max: undefined, expires: undefined } });
    expect(of("allow_responses: false")).toEqual(nothing);
    expect(of('allow_responses: { max: 5, expires: "1m" }')).toEqual({
      ...nothing,
      responses: { max: 5, expires: durationFromMillis(60_000) },
    });
  });

  it.each([
    ["publish: 5", "Expected subject permissions to be a subject, or array of subjects, got 5"],
    ["publish: [5]", "Subject in permissions array cannot be cast to string"],
    ["publish: { perhaps: a }", 'Unknown field name "perhaps" parsing subject permissions'],
    ["allow_responses: 5", "error parsing response permissions, expected a boolean or a map"],
    ["publich: a", 'unknown field "publich"'],
  ])("refuses the permissions %j", (text, message) => {
    const config = `authorization { default_permissions { ${text} } }`;
    expect(refused(config)).toMatchObject({ text: expect.stringContaining(message), exitCode: 1 });
  });

  it("reads the cluster block, and flags win over it", () => {
    const text = `cluster {
      name: c, listen: "h:1", routes: ["nats://a:6222", "nats-route://b:6222"], no_advertise: true, connect_retries: 3
      authorization { user: u, password: p, timeout: 0.5 }, cluster_advertise: "x:7"
      tls { cert_file: c, key_file: k, ca_file: a, insecure: true }
    }`;
    expect(nats(text).routes).toMatchObject({
      listenUrl: "",
      host: "h",
      port: 1,
      name: "c",
      urls: ["nats://a:6222", "nats-route://b:6222"],
      noAdvertise: true,
      connectRetries: 3,
      user: "u",
      password: "p",
      timeout: durationFromMillis(500),
      advertise: "x:7",
      tls: { certFile: "c", keyFile: "k", caFile: "a", insecure: true },
    });
  });

  it("reads the tls block", () => {
    const { tls } = nats(`tls {
      cert_file: c, key_file: k, ca_file: a, verify_and_map: true, timeout: 2, cipher_suites: [S], curve_preferences: [X25519]
    }`);
    expect(tls).toEqual({
      enabled: true,
      certFile: "c",
      keyFile: "k",
      caFile: "a",
      verify: true,
      verifyAndMap: true,
      insecure: false,
      timeout: durationFromMillis(2_000),
      cipherSuites: ["S"],
      curves: ["X25519"],
    });
  });

  it.each([
    ["tls { cert_file: 5 }", "n.conf:1:6: error parsing tls config, expected 'cert_file' to be filename"],
    ["tls { cert_file: c }", "missing 'key_file' in TLS configuration"],
    [
      "tls { cert_file: c, key_file: k, cipher_suites: [] }",
      "error parsing tls config, 'cipher_suites' cannot be empty",
    ],
    ["tls { cert_file: c, key_file: k, pinned_certs: [x] }", "the embedded NATS server has no pinned_certs"],
    ["cluster { permissions { import: x } }", "the embedded NATS server has no permissions of routes"],
    ["cluster { routes: [5] }", "route is not a URL"],
    ["cluster { authorization { token: t } }", 'unknown field "token"'],
  ])("refuses %j", (text, message) => {
    expect(refused(text)).toMatchObject({ text: expect.stringContaining(message), exitCode: 1 });
  });

  it("tolerates unknown keys at the top and streaming keys beside its own", () => {
    expect(run("partitioning: true\nstore_limits: {}\nport: 5").nats.port).toBe(5);
  });

  it.each([
    "jetstream: enabled",
    "jetstream {store_dir: x}",
    "leafnodes { port: 1 }",
    "mqtt {port: 1}",
    "accounts {A {}}",
    "operator: x",
  ])("refuses %s, which only a full NATS server has, and names -ns", (text) => {
    expect(refused(text).text).toMatch(
      /^n\.conf:1:0: the embedded NATS server has no .*: run a nats-server .* -ns nats:\/\/host:4222$/,
    );
  });

  it("refuses -js as it refuses jetstream in the file, but not when it is switched off", () => {
    expect(resolve("", ["-js"])).toMatchObject({ kind: "error", exitCode: 1 });
    expect(run("", ["-js=false"]).warnings).toEqual([]);
  });

  it.each([
    "jetstream: disabled",
    "jetstream: false",
    "jetstream { enabled: false }",
    "leafnodes {}",
    "gateway {}",
    "accounts {}",
  ])("only warns of %s", (text) => {
    expect(run(text).warnings).toMatchObject([{ code: "no_effect" }]);
  });

  it("only warns of features when the NATS server is external", () => {
    const { warnings } = run("jetstream: enabled", ["-ns", "nats://h:1"]);
    expect(warnings).toMatchObject([{ code: "no_effect", position: { line: 1 } }]);
  });
});
