import { seededRandom } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { decodeCtrlMsg } from "./ctrl-msg.ts";
import { decodeMapEntry, encodeMapEntry, MapEntryKind } from "./map-entry.ts";
import { decodePeerMsg, encodePeerMsg, MapDetail, PeerKind, PeerKnowledge, PeerPhase } from "./peer-msg.ts";
import { peerSubject, peersSubject } from "./subjects.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("PeerMsg", () => {
  const message = {
    kind: PeerKind.lookup,
    serverId: "me",
    phase: PeerPhase.serving,
    since: 1_700_000_000_000,
    clientCount: 3,
    clientDigest: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    cursor: "c",
    data: Uint8Array.of(9),
    clientId: "cli",
    connId: Uint8Array.of(0xff),
    knowledge: PeerKnowledge.alive,
    detail: MapDetail.lists,
  };

  it("has the bytes that the protocol document shows", () => {
    expect(hex(encodePeerMsg({ kind: PeerKind.hello, serverId: "me", phase: PeerPhase.starting }))).toBe(
      "080112026d651801",
    );
    expect(hex(encodePeerMsg(message))).toBe(
      "080412026d6518022080d095ffbc312803320801020304050607083a01634201094a03636c695201ff58026001",
    );
    expect(hex(encodeMapEntry({ kind: MapEntryKind.owned, name: "foo", serverId: "me" }))).toBe(
      "08011203666f6f1a026d65",
    );
  });

  it("comes back as it was, and skips fields that it does not know", () => {
    const bytes = encodePeerMsg(message);
    expect(decodePeerMsg(bytes)).toEqual({ kind: "ok", value: message });
    const longer = Uint8Array.from([...bytes, 0xa0, 0x06, 0x01]);
    expect(decodePeerMsg(longer)).toEqual({ kind: "ok", value: message });
  });

  it("is never taken for anything but itself when it is cut, and never throws", () => {
    const bytes = encodePeerMsg(message);
    for (let end = 0; end < bytes.length; end++) {
      const read = decodePeerMsg(bytes, 0, end);
      if (read.kind === "ok") expect(encodePeerMsg(read.value)).toEqual(bytes.slice(0, end));
    }
    const random = seededRandom(11);
    for (let i = 0; i < 2_000; i++) {
      const noise = new Uint8Array(Math.floor(random.next() * 50));
      random.fill(noise);
      expect(["ok", "invalid"]).toContain(decodePeerMsg(noise).kind);
      expect(["ok", "invalid"]).toContain(decodeMapEntry(noise).kind);
    }
  });

  it("is no control message of the original", () => {
    expect(decodeCtrlMsg(encodePeerMsg(message)).kind).toBe("invalid");
  });
});

describe("the subjects among partition servers", () => {
  it("are below the partitioning subject", () => {
    expect(peersSubject("test-cluster")).toBe("_STAN.part.test-cluster.$peers");
    expect(peerSubject("test-cluster", "me")).toBe("_STAN.part.test-cluster.$peer.me");
  });
});
