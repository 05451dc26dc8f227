import type { FileRead } from "@nats-streaming/config";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { flagTable } from "../flags/flag-table.ts";
import { optionsById } from "./apply-flags.ts";
import { natsTopLevelKeys } from "./nats-table.ts";
import { resolveOptions } from "./resolve-options.ts";

const names = fc.constantFrom(...flagTable.flatMap((flag) => flag.names), "xyz", "", "-");
const values = fc.constantFrom(
  ...[
    "",
    "1",
    "-1",
    "0x7fffffffffffffff",
    "5s",
    "1h",
    "100KB",
    "true",
    "f",
    "f2",
    "none",
    "a,b",
    "nats://h:1",
    "nats://u@h:1",
    "quit=1",
  ],
  ...["{a: 1}", "\n", "\0", "é", "version"],
);
const words = fc.oneof(
  fc.tuple(names, values).map(([name, value]) => [`-${name}`, value]),
  fc.tuple(names, values).map(([name, value]) => [`--${name}=${value}`]),
  values.map((value) => [value]),
);

const sections = [
  "streaming",
  "store_limits",
  "channels",
  "foo.>",
  "file",
  "sql",
  "tls",
  "cluster",
  "authorization",
  "users",
];
const keys = fc.constantFrom(
  ...new Set([...sections, ...natsTopLevelKeys, ...[...optionsById.values()].flatMap((option) => option.keys)]),
);
const scalars = fc.constantFrom(
  ...[
    "1",
    "-1",
    "9eb",
    "1.5",
    "999999999999999999999999999999.5",
    "true",
    '"x"',
    "5m",
    "10s",
    '"1h"',
    '"a:1"',
    "$id",
    "[a, b]",
    "[{user: a}]",
  ],
  ...["memory", "[]", "{}", "2020-01-02T03:04:05Z", "disabled", "$2a$x"],
);
const { pair } = fc.letrec<{ pair: string; value: string }>((tie) => ({
  pair: fc.tuple(keys, tie("value")).map(([key, value]) => `${key}: ${value}`),
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    scalars,
    fc.array(tie("pair"), { maxLength: 3 }).map((pairs) => `{\n${pairs.join("\n")}\n}`),
  ),
}));
const files = fc.array(pair, { maxLength: 4 }).map((pairs) => `id: x\n${pairs.join("\n")}\n`);

/** Resolves, and checks what must hold for any input whatever. */
function check(args: readonly string[], first: string, second: string): void {
  const readFile = (path: string): FileRead => {
    if (path === "f") return { kind: "text", text: first };
    return path === "f2"
      ? { kind: "text", text: second }
      : { kind: "failed", reason: `open ${path}: no such file or directory` };
  };
  const resolved = resolveOptions(args, { id: "env" }, { readFile });
  if (resolved.kind === "error") expect(resolved.text).not.toBe("");
  if (resolved.kind !== "run") return;
  const { storeLimits, heartbeatFailCount } = resolved.streaming;
  for (const value of [storeLimits.maxBytes, storeLimits.maxMessages, heartbeatFailCount, resolved.nats.port]) {
    expect(Number.isSafeInteger(value)).toBe(true);
  }
}

describe("resolveOptions() on what nobody meant", () => {
  it("answers any command line with a value", () => {
    fc.assert(
      fc.property(fc.array(words, { maxLength: 6 }), files, (line, text) => check(line.flat(), text, "port: 1")),
      { numRuns: 500 },
    );
  });

  it("answers any file of known keys with a value", () => {
    fc.assert(
      fc.property(files, files, (first, second) => {
        check(["-sc", "f"], first, "");
        check(["-sc", "f", "-c", "f2", "-t"], first, second);
      }),
      { numRuns: 700 },
    );
  });
});
