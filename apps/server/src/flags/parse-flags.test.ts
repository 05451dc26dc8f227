import { describe, expect, it } from "vitest";
import { flagId } from "./flag.ts";
import { flagTable } from "./flag-table.ts";
import { parseFlags } from "./parse-flags.ts";

function given(line: string): string[] {
  const outcome = parseFlags(line === "" ? [] : line.split(" "), flagTable);
  if (outcome.kind === "invalid") throw new Error(outcome.message);
  const flags = outcome.flags.map(({ definition, value }) => `${flagId(definition)}=${String(value.value)}`);
  return [...flags, ...outcome.rest.map((word) => `rest ${word}`)];
}

function wrong(args: readonly string[]): { message: string; usage: boolean } {
  const outcome = parseFlags(args, flagTable);
  if (outcome.kind === "parsed") throw new Error("parsed");
  return { message: outcome.message, usage: outcome.usage };
}

describe("parseFlags()", () => {
  it.each([
    ["", []],
    ["-p 4333", ["port=4333"]],
    ["--p 4333", ["port=4333"]],
    ["-port=4333", ["port=4333"]],
    ["--port=4333", ["port=4333"]],
    ["-p 1 -p 2", ["port=1", "port=2"]],
    [
      "-p 0x10 -mc 0o17 -mm 0b11 -msu 017 -hbf 1_000",
      ["port=16", "max_channels=15", "max_msgs=3", "max_subs=15", "hb_fail_count=1000"],
    ],
    ["-p -1", ["port=-1"]],
    ["-p +5", ["port=5"]],
    ["-SD", ["stan_debug=true"]],
    ["-SD=false -D=T -V=0", ["stan_debug=false", "debug=true", "trace=false"]],
    ["-SD true", ["stan_debug=true", "rest true"]],
    ["-ma 1h30m -hbi=500ms -mi 0", ["max_age=5400000000000", "hb_interval=500000000", "max_inactivity=0"]],
    ["-mb 100KB -max_bytes=-1", ["max_bytes=102400", "max_bytes=-1"]],
    ["-cid=a=b -dir=", ["cluster_id=a=b", "dir="]],
    ["-dir -x", ["dir=-x"]],
    ["-routes nats://a:1,,nats://b:2", ["routes=nats://a:1,nats://b:2"]],
    [
      "-P x -p 1 -sd d -SD -s -sc f",
      ["pid=x", "port=1", "store_dir=d", "stan_debug=true", "syslog=true", "stan_config=f"],
    ],
    ["version -p 1", ["rest version", "rest -p", "rest 1"]],
    ["-D -- -V", ["debug=true", "rest -V"]],
    ["-", ["rest -"]],
    ["-ft_group_name foo -ft_group bar", ["ft_group=foo", "ft_group=bar"]],
  ])("parses %j", (line, expected) => {
    expect(given(line)).toEqual(expected);
  });

  it.each([
    [["-xxx"], "flag provided but not defined: -xxx"],
    [["--xxx=5"], "flag provided but not defined: -xxx"],
    [["-sC", "f"], "flag provided but not defined: -sC"],
    [["-p"], "flag needs an argument: -p"],
    [["--port"], "flag needs an argument: -port"],
    [["-p", "abc"], 'invalid value "abc" for flag -p: parse error'],
    [["-p", ""], 'invalid value "" for flag -p: parse error'],
    [["-p", "1.5"], 'invalid value "1.5" for flag -p: parse error'],
    [["-p", "1k"], 'invalid value "1k" for flag -p: parse error'],
    [["-p", "99999999999999999999"], 'invalid value "99999999999999999999" for flag -p: value out of range'],
    [["-p", "9".repeat(10_000)], `invalid value "${"9".repeat(10_000)}" for flag -p: value out of range`],
    [["-ma", "5"], 'invalid value "5" for flag -ma: parse error'],
    [["-ma", "5d"], 'invalid value "5d" for flag -ma: parse error'],
    [["-SD=maybe"], 'invalid boolean value "maybe" for -SD: parse error'],
    [["-SD=yes"], 'invalid boolean value "yes" for -SD: parse error'],
    [["---p"], "bad flag syntax: ---p"],
    [["-=5"], "bad flag syntax: -=5"],
  ])("refuses %j as a fault of usage", (args, message) => {
    expect(wrong(args)).toEqual({ message, usage: true });
  });

  it.each(["12abc", "x1x", "100a", "1.5", "1 2", "{a: 1}", "", "1kbb", "1\nb: 2"])("refuses the size %j", (text) => {
    expect(wrong(["-mb", text])).toEqual({ message: `mb should be a size, got '${text}'`, usage: false });
  });

  it("suggests the nearest flag, or says that the name belongs into the file", () => {
    const hint = (name: string): string => {
      const outcome = parseFlags([name], flagTable, new Set(["partitioning"]));
      return outcome.kind === "invalid" ? outcome.hint : "";
    };
    expect(hint("-stan_conf")).toContain("did you mean -stan_config?");
    expect(hint("--clusterid")).toContain("did you mean -cluster_id?");
    expect(hint("-partitioning")).toContain("option of the configuration file only");
    expect(hint("-partitoning")).toContain('did you mean "partitioning"?');
    expect(hint("-qqqqqqqqqqqq")).toBe("-help shows every flag");
  });
});
