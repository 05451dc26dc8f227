import { describe, expect, it } from "vitest";
import {
  addChild,
  compact,
  createNodeStore,
  findChild,
  isBare,
  isSparse,
  type NodeStore,
  ROOT,
  removeNode,
  VALUE,
} from "./node-store.ts";
import { FULL_TOKEN, STAR_TOKEN } from "./token-table.ts";

function grow(store: NodeStore, nodes: number): void {
  for (let token = 1; token <= nodes; token++) addChild(store, ROOT, token);
}

describe("the node store", () => {
  it("finds the branches of each node and no others", () => {
    const store = createNodeStore(5);
    const a = addChild(store, ROOT, 1);
    const b = addChild(store, a, 1);
    const star = addChild(store, a, STAR_TOKEN);
    const full = addChild(store, a, FULL_TOKEN);
    expect([1, 2, STAR_TOKEN, FULL_TOKEN].map((token) => findChild(store, a, token))).toEqual([b, 0, star, full]);
    expect([1, 2, STAR_TOKEN, FULL_TOKEN].map((token) => findChild(store, b, token))).toEqual([0, 0, 0, 0]);
    expect(findChild(store, ROOT, 1)).toBe(a);
  });

  it("uses the room of removed nodes again", () => {
    const store = createNodeStore(0);
    grow(store, 100);
    const room = store.words.length;
    for (let round = 0; round < 50; round++) {
      for (let token = 1; token <= 100; token++) removeNode(store, findChild(store, ROOT, token));
      expect(isBare(store, ROOT)).toBe(true);
      grow(store, 100);
    }
    expect(store.words.length).toBe(room);
    expect(store.live).toBe(101);
  });

  it("gives room back when most of it is unused, and keeps what is left", () => {
    const store = createNodeStore(0);
    grow(store, 1_000);
    const deep = addChild(store, addChild(store, findChild(store, ROOT, 500), STAR_TOKEN), 7);
    store.words[deep + VALUE] = 42;
    expect(isSparse(store)).toBe(false);
    for (let token = 1; token <= 1_000; token++) {
      if (token !== 500) removeNode(store, findChild(store, ROOT, token));
    }
    expect(isSparse(store)).toBe(true);
    const room = store.words.length;
    compact(store);
    expect(store.words.length).toBeLessThan(room / 10);
    expect(isSparse(store)).toBe(false);
    const moved = findChild(store, findChild(store, findChild(store, ROOT, 500), STAR_TOKEN), 7);
    expect(store.words[moved + VALUE]).toBe(42);
    grow(store, 400);
    expect(findChild(store, ROOT, 400)).not.toBe(0);
  });

  it("never calls its smallest size sparse", () => {
    expect(isSparse(createNodeStore(0))).toBe(false);
  });
});
