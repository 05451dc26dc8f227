import { encodeClientInfo, encodeRecords, PeerKind, type PeerMsg, PeerPhase } from "@nats-streaming/protocol/spb";
import { beforeEach, describe, expect, it } from "vitest";
import { type ClientCollector, type CollectorOutput, createClientCollector } from "./client-collector.ts";

const EMPTY: PeerMsg = {
  kind: 0,
  serverId: "",
  phase: PeerPhase.serving,
  since: 1,
  clientCount: 0,
  clientDigest: new Uint8Array(8),
  cursor: "",
  data: new Uint8Array(0),
  clientId: "",
  connId: new Uint8Array(0),
  knowledge: 0,
  detail: 0,
};

let collector: ClientCollector;
beforeEach(() => {
  collector = createClientCollector();
});

const hello = (serverId: string, clientCount: number, digest = 1): PeerMsg => ({
  ...EMPTY,
  kind: PeerKind.hello,
  serverId,
  clientCount,
  clientDigest: new Uint8Array(8).fill(digest),
});
const record = (id: string): Uint8Array => encodeClientInfo({ id, hbInbox: `_INBOX.${id}`, connId: Buffer.from(id) });
/** An answer to the question for `from`, with the cursor of the next page. */
const page = (serverId: string, from: string, ids: readonly string[], next = ""): PeerMsg => ({
  ...EMPTY,
  kind: PeerKind.clients,
  serverId,
  clientId: from,
  cursor: next,
  data: encodeRecords(ids.map(record)),
});
const say = (message: PeerMsg, now = 0): readonly CollectorOutput[] =>
  collector.step({ kind: "message", message }, now);
const begin = (...peers: string[]): readonly CollectorOutput[] => collector.step({ kind: "begin", peers }, 0);
/** Lets time pass up to the next deadline. */
const wait = (): readonly CollectorOutput[] => collector.step({ kind: "time" }, collector.deadline ?? 0);
const adopted = (outputs: readonly CollectorOutput[]): string[] =>
  outputs.flatMap((output) => (output.kind === "adopt" ? output.clients.map(({ id }) => id) : []));

describe("a client collector", () => {
  it("is done at once when nobody is known to serve", () => {
    expect(begin()).toEqual([{ kind: "done", adopted: 0, isComplete: true }]);
    expect(collector.deadline).toBeUndefined();
  });

  it("is done when nobody knows any client", () => {
    expect(begin("a", "b")).toEqual([{ kind: "send_hello" }]);
    expect(say(hello("a", 0))).toEqual([]);
    expect(say(hello("b", 0))).toEqual([{ kind: "done", adopted: 0, isComplete: true }]);
  });

  it("asks one of those who know the same, page by page", () => {
    begin("a", "b");
    say(hello("a", 3));
    expect(say(hello("b", 3))).toEqual([{ kind: "ask_page", serverId: "a", cursor: "" }]);
    const first = say(page("a", "", ["c1", "c2"], "c3"));
    expect(adopted(first)).toEqual(["c1", "c2"]);
    expect(first.at(-1)).toEqual({ kind: "ask_page", serverId: "a", cursor: "c3" });
    const last = say(page("a", "c3", ["c3"]));
    expect(adopted(last)).toEqual(["c3"]);
    expect(last.at(-1)).toEqual({ kind: "done", adopted: 3, isComplete: true });
  });

  it("asks one of each kind when they know different clients, four at a time", () => {
    const peers = ["a", "b", "c", "d", "e", "f"];
    begin(...peers);
    const asked = peers.flatMap((peer, i) => say(hello(peer, 1, i)));
    expect(asked.map((output) => output.kind === "ask_page" && output.serverId)).toEqual(["a", "b", "c", "d"]);
    expect(say(page("b", "", ["x"])).at(-1)).toEqual({ kind: "ask_page", serverId: "e", cursor: "" });
  });

  it("says hello up to four times to those who do not answer, and goes on without them", () => {
    begin("a", "b");
    say(hello("a", 1));
    for (let round = 0; round < 3; round++) expect(wait()).toEqual([{ kind: "send_hello" }]);
    expect(wait()).toEqual([{ kind: "ask_page", serverId: "a", cursor: "" }]);
    expect(say(page("a", "", ["x"]), 1_000).at(-1)).toEqual({ kind: "done", adopted: 1, isComplete: false });
  });

  it("asks again for a page that does not come, and then goes on with another one who knows the same", () => {
    begin("a", "b");
    say(hello("a", 2));
    say(hello("b", 2));
    say(page("a", "", ["x"], "y"));
    expect(wait()).toEqual([{ kind: "ask_page", serverId: "a", cursor: "y" }]);
    expect(wait()).toEqual([{ kind: "ask_page", serverId: "a", cursor: "y" }]);
    expect(wait()).toEqual([{ kind: "ask_page", serverId: "b", cursor: "y" }]);
    expect(say(page("b", "y", ["y"]), 2_000).at(-1)).toMatchObject({ kind: "done", isComplete: true });
  });

  it("is incomplete when nobody is left who knows them", () => {
    begin("a");
    say(hello("a", 2));
    wait();
    wait();
    expect(wait()).toEqual([{ kind: "done", adopted: 0, isComplete: false }]);
  });

  it("drops pages that nobody asked for, late ones and doubled ones", () => {
    begin("a");
    say(page("a", "", ["x"]));
    say(hello("a", 2));
    expect(say(page("z", "", ["x"]))).toEqual([]);
    expect(say(page("a", "q", ["x"]))).toEqual([]);
    say(page("a", "", ["x"], "y"));
    expect(say(page("a", "", ["x"], "y"))).toEqual([]);
  });

  it("leaves somebody whose pages do not move on, or cannot be read", () => {
    begin("a", "b", "c");
    for (const peer of ["a", "b", "c"]) say(hello(peer, 2));
    expect(say(page("a", "", ["m"], "m")).at(-1)).toMatchObject({ kind: "ask_page", serverId: "a", cursor: "m" });
    expect(say(page("a", "m", ["m"], "m"))).toEqual([{ kind: "ask_page", serverId: "b", cursor: "m" }]);
    const broken = { ...page("b", "m", ["x"]), data: Uint8Array.of(9, 9) };
    expect(say(broken)).toEqual([{ kind: "ask_page", serverId: "c", cursor: "m" }]);
  });

  it("skips what is no client", () => {
    begin("a");
    say(hello("a", 2));
    const bad = [
      encodeClientInfo({ id: "no client ID!", hbInbox: "_INBOX.x" }),
      encodeClientInfo({ id: "mute" }),
      Uint8Array.of(0xff),
      record("good"),
    ];
    expect(adopted(say({ ...page("a", "", []), data: encodeRecords(bad) }))).toEqual(["good"]);
  });

  it("ends after half a minute, whatever is offered", () => {
    begin("a");
    say(hello("a", 2));
    let from = "";
    let now = 0;
    for (let i = 0; now < 30_000; i++) {
      const next = `c${String(i).padStart(9, "0")}`;
      say(page("a", from, [], next), now);
      from = next;
      now += 400;
    }
    expect(collector.step({ kind: "time" }, 30_000)).toEqual([{ kind: "done", adopted: 0, isComplete: false }]);
    expect(say(page("a", from, ["x"]), 30_001)).toEqual([]);
  });
});
