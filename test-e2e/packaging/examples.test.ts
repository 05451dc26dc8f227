import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { startChild } from "../harness/child.ts";
import { testStage } from "../harness/test-stage.ts";

/** How long an example may take that starts servers: a partitioned one waits a second for its peers. */
const EXAMPLE_MILLIS = 50_000;

/** Runs a program of examples/ as its first lines say, and hands back what it printed. */
async function outputOf(program: string, ...flags: string[]): Promise<string> {
  const child = await startChild(testStage(), {
    name: program,
    command: process.execPath,
    args: [...flags, fileURLToPath(new URL(`../../examples/${program}`, import.meta.url))],
    missing: `${process.execPath} does not run`,
  });
  const { code, stdout } = await child.exit(EXAMPLE_MILLIS);
  expect(code).toBe(0);
  return stdout;
}

describe("the programs in examples/ that bring their own servers", () => {
  it("EXAMPLES: two-partitions.mjs reaches both servers through one, and a third one is refused", async () => {
    expect(await outputOf("two-partitions.mjs")).toBe(
      [
        "two servers are ready",
        "orders.eu.new 1: hello, orders.eu.new",
        "billing.invoices 1: hello, billing.invoices",
        'channel "orders.>" causes conflict',
        "",
      ].join("\n"),
    );
  });

  it("EXAMPLES: fault-tolerant-partition.mjs goes on after a kill", async () => {
    expect(await outputOf("fault-tolerant-partition.mjs")).toBe(
      ["one serves, one stands by", "before", "the other one has taken over", "after", ""].join("\n"),
    );
  });

  it("EXAMPLES: matcher.mjs finds who listens, and what overlaps", async () => {
    expect(await outputOf("matcher.mjs")).toBe(
      [
        "orders.eu.created: auditor, warehouse, office in Europe",
        "orders.us.cancelled: auditor",
        "billing.invoices: nobody",
        "orders.*.new and orders.eu.> overlap",
        "",
      ].join("\n"),
    );
  });

  it("EXAMPLES: broker.test.mjs passes", async () => {
    expect(await outputOf("broker.test.mjs", "--test-reporter=spec", "--test")).toMatch(/pass 2\n.*fail 0\n/s);
  });
});
