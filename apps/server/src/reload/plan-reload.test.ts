import type { FileRead } from "@nats-streaming/config";
import { describe, expect, it } from "vitest";
import { type RunRequest, resolveOptions } from "../options/resolve-options.ts";
import { inForce, planReload, type ReloadPlan } from "./plan-reload.ts";
import { reloadRuleOf, ruledIds } from "./reload-rules.ts";
import { reloadables } from "./reloadable.ts";

/** The options of a server with this configuration file and these flags besides. */
function given(text: string, ...flags: readonly string[]): RunRequest {
  const readFile = (): FileRead => ({ kind: "text", text });
  const resolved = resolveOptions(["-c", "stan.conf", ...flags], {}, { readFile });
  if (resolved.kind !== "run") throw new Error(JSON.stringify(resolved));
  return resolved;
}

function planOf(before: string, after: string, ...flags: readonly string[]): ReloadPlan {
  return planReload(given(before, ...flags), given(after, ...flags));
}

const linesOf = (changes: readonly { readonly line: string }[]): string[] => changes.map(({ line }) => line);

describe("the rules", () => {
  it("hold one for everything that can be configured, and no more", () => {
    const ids = reloadables.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ruledIds()].sort()).toEqual([...ids].sort());
    expect(reloadRuleOf("nats.debug")).toEqual({ kind: "applies", area: "verbosity", remark: "" });
    expect(reloadRuleOf("no_such")).toBeUndefined();
  });
});

describe("planReload()", () => {
  it("finds nothing where nothing has changed", () => {
    const text = "debug: true, streaming { id: a, store_limits { channels { foo { max_msgs: 5 } } } }";
    expect(planOf(text, text)).toEqual({ applied: [], left: [], areas: new Set() });
  });

  it("names what applies in nats-server's words where it has them", () => {
    const plan = planOf(
      "port: 4222",
      `debug: true, logfile: a.log, logtime: false, max_payload: 1000, ping_interval: "10s", max_connections: 7
       authorization { users: [ { user: a, password: secret } ], timeout: 3 }, pid_file: a.pid, client_advertise: "a:1"
       streaming { sd: true, store_limits { max_msgs: 5 } }`,
    );
    expect(linesOf(plan.applied)).toEqual([
      "Reloaded: stan_debug = true",
      "Reloaded: store_limits.max_msgs = 5 (channels created from now on)",
      "Reloaded: client_advertise = a:1 (connections from now on)",
      "Reloaded: max_payload = 1000 (a higher one: connections from now on)",
      "Reloaded: max_connections = 7",
      "Reloaded: ping_interval = 10s",
      "Reloaded: log_file = a.log",
      "Reloaded: logtime = false",
      "Reloaded: debug = true",
      "Reloaded: pid_file = a.pid",
      "Reloaded: authorization users",
      "Reloaded: authorization timeout = 3",
    ]);
    expect(plan.left).toEqual([]);
    expect([...plan.areas].sort()).toEqual(["broker", "limits", "pid_file", "target", "verbosity"]);
  });

  it("says what needs a restart, and why", () => {
    const plan = planOf(
      "port: 4222",
      'port: 4223, server_name: "a b", trace_verbose: true, streaming { id: other, ft_group: g, file { crc: false }, hb_interval: "5s" }',
    );
    expect(plan.applied).toEqual([]);
    expect(linesOf(plan.left)).toEqual([
      "Reload: cluster_id cannot become other without a restart: clients and other servers know this one by it",
      "Reload: hb_interval cannot become 5s without a restart: the heartbeats of connected clients run by it",
      "Reload: ft_group cannot become g without a restart: it decides what the server is",
      "Reload: file_options.crc cannot become false without a restart: the store is opened once, at the start",
      "Reload: port cannot become 4223 without a restart: the server listens at one place as long as it runs",
      'Reload: server_name cannot become "a b" without a restart: clients and other servers know this one by it',
      "Reload: trace_verbose has no effect: this server does not use it",
    ]);
  });

  it("prints no secret", () => {
    const plan = planOf(
      "port: 4222",
      `authorization { user: hidden1, password: hidden2 }
       cluster { port: 6222, authorization { user: hidden3, password: hidden4 }, routes: ["nats://hidden5:hidden6@h:1"] }
       streaming { password: hidden7, token: hidden8, encryption_key: hidden9, ns: "nats://hidden10:x@h:1"
         sql { source: "hidden11" } }`,
    );
    const lines = [...linesOf(plan.applied), ...linesOf(plan.left)];
    expect(lines.join("\n")).not.toContain("hidden");
    expect(lines).toContain("Reloaded: authorization password");
    expect(lines).toContain(
      "Reload: encryption_key cannot become [REDACTED] without a restart: the store is opened once, at the start",
    );
  });

  it("leaves an option that a flag sets as the flag says", () => {
    expect(planOf("debug: false, port: 1", "debug: true, port: 2", "-D", "-p", "3")).toEqual(planOf("", ""));
    expect(linesOf(planOf("trace: false", "trace: true", "-D").applied)).toEqual(["Reloaded: trace = true"]);
  });

  it("reads certificates again although their names are the same", () => {
    const text = "tls { cert_file: a, key_file: b }";
    expect(linesOf(planOf(text, text).applied)).toEqual(["Reloaded: tls = enabled (connections from now on)"]);
    expect(linesOf(planOf(text, "port: 4222").applied)).toEqual(["Reloaded: tls = disabled (connections from now on)"]);
  });

  it("changes routes of a server that has some, and neither gives nor takes them", () => {
    const routes = (more: string): string => `cluster { name: c, port: 6222${more} }`;
    const added = ', routes: ["nats://h:1"], authorization { user: a, password: b }';
    expect(linesOf(planOf(routes(""), routes(added)).applied)).toEqual([
      "Reloaded: cluster routes",
      "Reloaded: cluster authorization",
    ]);
    const given = planOf("port: 4222", routes(added));
    expect(given.applied).toEqual([]);
    expect(linesOf(given.left)).toContain(
      "Reload: cluster routes cannot change without a restart: routes are switched on and off at the start",
    );
    const encrypted = planOf(routes(""), routes(", tls { cert_file: a, key_file: b, ca_file: c }"));
    expect(encrypted.applied).toEqual([]);
    expect(linesOf(encrypted.left)).toEqual([
      "Reload: cluster tls cannot change without a restart: routes are encrypted or not as long as the server runs",
    ]);
  });

  it("says with an external NATS server that its options are its own affair, and once", () => {
    const external = (more: string): string => `streaming { ns: "nats://h:1" }\n${more}`;
    const plan = planOf(external(""), external("max_payload: 1000, ping_max: 5, port: 1, debug: true, logtime: false"));
    expect(linesOf(plan.left)).toEqual(["Reload supported only for embedded NATS Server's configuration"]);
    expect(linesOf(plan.applied)).toEqual(["Reloaded: logtime = false", "Reloaded: debug = true"]);
    const login = planOf(external(""), external("authorization { user: a, password: b }"));
    expect(linesOf(login.left)).toEqual([
      "Reload: authorization username cannot change without a restart: connections to NATS are made at the start",
      "Reload: authorization password cannot change without a restart: connections to NATS are made at the start",
    ]);
  });
});

describe("inForce()", () => {
  const before = given(
    "port: 4222, debug: false, max_payload: 1000, streaming { id: a, store_limits { max_msgs: 1 } }",
  );
  const after = given(
    "port: 4223, debug: true, max_payload: 2000, streaming { id: b, store_limits { max_msgs: 2, channels { foo {} } } }",
  );
  const plan = planReload(before, after);

  it("is what applies of the new options, and the old ones for the rest", () => {
    const { streaming, nats } = inForce(before, after, plan, new Set());
    expect([nats.port, nats.debug, nats.maxPayloadBytes]).toEqual([4222, true, 2000]);
    expect([streaming.clusterId, streaming.storeLimits.maxMessages]).toEqual(["a", 2]);
    expect([...streaming.storeLimits.channels.keys()]).toEqual(["foo"]);
  });

  it("is the old one for what could not be carried out, so that the next reload tries again", () => {
    const now = inForce(before, after, plan, new Set(["limits", "broker"]));
    expect(now.nats.maxPayloadBytes).toBe(1000);
    expect(now.streaming.storeLimits.maxMessages).toBe(1);
    expect([...planReload(now, after).areas].sort()).toEqual(["broker", "limits"]);
    expect(linesOf(planReload(now, after).left)).toEqual(linesOf(plan.left));
  });
});
