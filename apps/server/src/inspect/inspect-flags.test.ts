import { describe, expect, it } from "vitest";
import { COMMANDS, inspectHelp, isInspectCommand, parseInspect } from "./inspect-flags.ts";

describe("parseInspect()", () => {
  it("takes flags before and behind words, with one dash or two, and their values behind = or next", () => {
    const parsed = parseInspect(["messages", "--last", "5", "foo.bar", "-json", "--server=host:8222"], {});
    expect(parsed).toEqual({
      kind: "request",
      command: "messages",
      words: ["foo.bar"],
      server: "http://host:8222",
      token: "",
      user: "",
      password: "",
      json: true,
      values: new Map([["last", "5"]]),
      once: false,
    });
  });

  it("takes server and token from the environment unless flags say otherwise", () => {
    const env = { NATS_STREAMING_MONITOR: "https://a/path/", NATS_STREAMING_MONITOR_TOKEN: "t" };
    expect(parseInspect(["clients"], env)).toMatchObject({ server: "https://a/path", token: "t" });
    expect(parseInspect(["clients", "--server", "b:1", "--token="], env)).toMatchObject({
      server: "http://b:1",
      token: "",
    });
    expect(parseInspect(["clients"], {})).toMatchObject({ server: "http://127.0.0.1:8222" });
  });

  it.each([
    [["nope"], 'unknown command "nope": use one of channels, clients, subscriptions, messages, top'],
    [["channels", "--last", "3"], "unknown flag --last: see channels --help"],
    [["channels", "--once"], "unknown flag --once: see channels --help"],
    [["channels", "a", "b"], 'unexpected "b": see channels --help'],
    [["top", "a"], 'unexpected "a": see top --help'],
    [["messages"], "name the channel whose messages to show: see messages --help"],
    [["messages", "foo", "--from"], "--from needs a value: see messages --help"],
    [["clients", "--json=yes"], "--json takes no value: see clients --help"],
    [
      ["clients", "--server", "http://"],
      '--server "http://" is no address: write http://host:port: see clients --help',
    ],
  ])("refuses %j with the place and the remedy", (argv, message) => {
    expect(parseInspect(argv, {})).toEqual({ kind: "wrong", message });
  });

  it.each(["--help", "-h"])("takes %s anywhere", (flag) => {
    expect(parseInspect(["top", "--every", "1", flag], {})).toEqual({ kind: "help", command: "top" });
  });
});

describe("inspectHelp()", () => {
  it("tells of every flag that a command knows", () => {
    for (const [command, { flags }] of Object.entries(COMMANDS)) {
      if (!isInspectCommand(command)) throw new Error(command);
      const help = inspectHelp("nats-streaming-server", command);
      expect(help).toContain(`nats-streaming-server ${command}`);
      for (const flag of [...flags, "json", "server", "token", "user"]) expect(help, command).toContain(`--${flag}`);
    }
  });
});

describe("isInspectCommand()", () => {
  it("knows the commands and nothing that every object has", () => {
    expect(["channels", "top", "toString", "constructor", "-sc", ""].map(isInspectCommand)).toEqual([
      ...[true, true, false, false, false, false],
    ]);
    expect(isInspectCommand(undefined)).toBe(false);
  });
});
