import { PeerPhase } from "@nats-streaming/protocol/spb";
import { describe, expect, it } from "vitest";
import { ASKED_MAX, createPeerBook, PEERS_MAX } from "./peer-book.ts";

describe("a peer book", () => {
  it("knows those who have said what they are, until they go", () => {
    const book = createPeerBook("me");
    book.note("a", PeerPhase.serving, 5);
    book.note("b", PeerPhase.starting, 0);
    expect(book.serving().map(({ serverId, since }) => [serverId, since])).toEqual([["a", 5]]);
    expect([book.size, book.has("b")]).toEqual([2, true]);
    book.note("b", PeerPhase.serving, 6);
    book.remove("a");
    expect(book.serving().map(({ serverId }) => serverId)).toEqual(["b"]);
  });

  it("takes no note of itself, of tools, of unknown kinds, and of IDs that are no token", () => {
    const book = createPeerBook("me");
    book.note("me", PeerPhase.serving, 5);
    book.note("tool", PeerPhase.observer, 5);
    book.note("later", 77, 5);
    for (const id of ["", "a.b", ">", "*", "a b", "x".repeat(65), "\u00ff"]) book.note(id, PeerPhase.serving, 5);
    expect(book.size).toBe(0);
  });

  it("holds a bounded number", () => {
    const book = createPeerBook("me");
    for (let i = 0; i < PEERS_MAX + 100; i++) book.note(`forged${i}`, PeerPhase.serving, 5);
    expect(book.size).toBe(PEERS_MAX);
  });

  it("asks all of a few, and of many the same few for the same question", () => {
    const few = createPeerBook("me");
    for (let i = 0; i < ASKED_MAX; i++) few.note(`s${i}`, PeerPhase.serving, 5);
    expect(few.toAsk("client", 0)).toHaveLength(ASKED_MAX);
    const [one, other] = [createPeerBook("me"), createPeerBook("you")];
    for (let i = 0; i < 200; i++) one.note(`s${i}`, PeerPhase.serving, 5);
    for (let i = 199; i >= 0; i--) other.note(`s${i}`, PeerPhase.serving, 9);
    const asked = new Set<string>();
    for (let i = 0; i < 100; i++) {
      const ids = one.toAsk(`client${i}`, 0);
      expect(ids).toHaveLength(ASKED_MAX);
      expect(other.toAsk(`client${i}`, 0)).toEqual(ids);
      for (const id of ids) asked.add(id);
    }
    expect(asked.size).toBeGreaterThan(150);
  });

  it("leaves one out for five seconds that did not answer, or until it is heard of", () => {
    const book = createPeerBook("me");
    book.note("a", PeerPhase.serving, 5);
    book.silent("a", 1_000);
    expect([book.toAsk("x", 1_000), book.toAsk("x", 5_999)]).toEqual([[], []]);
    expect(book.toAsk("x", 6_000)).toEqual(["a"]);
    book.silent("a", 7_000);
    book.note("a", PeerPhase.serving, 5);
    expect(book.toAsk("x", 7_001)).toEqual(["a"]);
  });
});
