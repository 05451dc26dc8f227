import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as subject from "./index.ts";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const EXAMPLES = [...README.matchAll(/```js\n(.*?)```/gs)].map((match) => match[1] ?? "");

describe("the README", () => {
  it.each(EXAMPLES.map((example, i) => [i + 1, example] as const))(
    "shows in example %i what it prints",
    (_, example) => {
      const printed: string[] = [];
      const expected = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map((match) => match[1]);
      const body = example.replace(/^import (\{.*?\}) from "@nats-streaming\/subject";$/m, "const $1 = subject;");
      const run = new Function("subject", "console", body);
      run(subject, { log: (...values: readonly unknown[]) => printed.push(values.join(" ")) });
      expect(expected.length).toBeGreaterThan(0);
      expect(printed).toEqual(expected);
    },
  );

  it("names everything that the package exports", () => {
    for (const name of Object.keys(subject)) {
      if (name !== name.toUpperCase()) expect(README, name).toContain(name);
    }
  });
});
