import { describe, expect, it } from "vitest";
import { importsOf, layers, mayImport, violations } from "./layers.mjs";
import { root } from "./prepare.mjs";

describe("the layer drawing", () => {
  it("is kept by every import, dependency and project reference", () => {
    expect(violations(root)).toEqual([]);
  });

  it("lets arrows point down only", () => {
    expect(mayImport("engine", "store")).toBe(true);
    expect(mayImport("store", "engine")).toBe(false);
    expect(mayImport("server", "engine")).toBe(true);
  });

  it("keeps neighbours apart", () => {
    for (const floor of layers) {
      for (const a of floor) for (const b of floor) expect(mayImport(a, b)).toBe(false);
    }
  });

  it("keeps the engine from any particular bus or store", () => {
    expect(mayImport("engine", "broker")).toBe(false);
    expect(mayImport("engine", "store-memory")).toBe(false);
  });

  it("sees static, re-exporting, sub-path and dynamic imports", () => {
    const source = [
      'import { a } from "@nats-streaming/kernel";',
      'export { b } from "@nats-streaming/protocol/stan";',
      'const c = await import("@nats-streaming/store");',
      'import type { d } from "node:fs";',
    ].join("\n");
    expect(importsOf(source)).toEqual(["kernel", "protocol", "store"]);
  });
});
