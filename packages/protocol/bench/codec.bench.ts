import { readFileSync } from "node:fs";
import protobuf from "protobufjs";
import { encodeSubStateUpdate, writeSubStateUpdate } from "../src/spb/index.ts";
import {
  ackView,
  appendRedelivery,
  decodeConnectRequest,
  encodeAck,
  encodeConnectRequest,
  encodePubMsg,
  encodeSubjectField,
  msgProtoSize,
  msgProtoView,
  pubAckSize,
  pubMsgView,
  readAck,
  readMsgProto,
  readPubMsg,
  writeMsgProto,
  writePubAck,
} from "../src/stan/index.ts";
import { copyBytes } from "../src/wire/copy.ts";

/*
 * Our codecs beside protobufjs (its reflected types, which compile to the same code as its static modules), in one run:
 * each row alternates between the two and prints the best of the rounds and the ratio. Read the ratios, not the figures.
 */

const ROUNDS = 7;
const MILLIS_PER_ROUND = 60;

let sink = 0;

/** Nanoseconds per call, the best of all rounds of each. */
function race(name: string, ours: () => number, theirs: () => number): void {
  let best = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round++) {
    best = [Math.min(best[0]!, nanosPerCall(ours)), Math.min(best[1]!, nanosPerCall(theirs))];
  }
  const [mine, other] = best as [number, number];
  const columns = [mine.toFixed(0).padStart(8), other.toFixed(0).padStart(8), (other / mine).toFixed(1).padStart(8)];
  console.log(`${name.padEnd(44)}${columns.join("")}`);
}

function nanosPerCall(call: () => number): number {
  const calls = 2_000;
  let count = 0;
  const start = process.hrtime.bigint();
  let elapsed = 0n;
  while (elapsed < BigInt(MILLIS_PER_ROUND) * 1_000_000n) {
    for (let i = 0; i < calls; i++) sink ^= call();
    count += calls;
    elapsed = process.hrtime.bigint() - start;
  }
  return Number(elapsed) / count;
}

const { root } = protobuf.parse(readFileSync(new URL("../proto/stan.proto", import.meta.url), "utf8"), {
  keepCase: true,
});
const spbRoot = protobuf.parse(readFileSync(new URL("../proto/spb.proto", import.meta.url), "utf8"), {
  keepCase: true,
}).root;
const theirs = (name: string): protobuf.Type => root.lookupType(`pb.${name}`);

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, "latin1"));
const connId = text("CONNID0000000000000001");

console.log(`${"nanoseconds per message".padEnd(44)}${"    ours protobuf   ratio"}`);

for (const size of [16, 128, 1_024]) {
  const data = new Uint8Array(size).fill(0x61);
  const bytes = encodePubMsg({
    clientId: "client-1",
    guid: "GUID000000000000000001",
    subject: "foo.bar",
    data,
    connId,
  });
  const view = pubMsgView();
  const PubMsg = theirs("PubMsg");
  race(
    `PubMsg, ${size} bytes of data: decode`,
    () => readPubMsg(view, bytes, 0, bytes.length) + view.dataEnd,
    () => (PubMsg.decode(bytes) as unknown as { data: Uint8Array }).data.length,
  );

  const target = new Uint8Array(size + 100);
  const field = encodeSubjectField("foo.bar");
  const time = { millis: 1_700_000_000_123, nanos: 456_789 };
  const MsgProto = theirs("MsgProto");
  const timestamp = Number("1700000000123456789");
  let sequence = 1;
  race(
    `MsgProto, ${size} bytes of data: size and encode`,
    () =>
      msgProtoSize(++sequence, field.length, 0, size, time) +
      writeMsgProto(target, 0, sequence, field, bytes, 0, 0, view.dataStart, view.dataEnd, time),
    () => MsgProto.encode({ sequence: ++sequence, subject: "foo.bar", data, timestamp } as never).finish().length,
  );
  const end = writeMsgProto(target, 0, sequence, field, bytes, 0, 0, view.dataStart, view.dataEnd, time);
  const stored = target.slice(0, end);
  const message = msgProtoView();
  race(
    `MsgProto, ${size} bytes of data: decode`,
    () => readMsgProto(message, stored, 0, stored.length) + message.dataEnd,
    () => (MsgProto.decode(stored) as unknown as { data: Uint8Array }).data.length,
  );
  race(
    `MsgProto, ${size} bytes of data: redelivery`,
    () => appendRedelivery(target, copyBytes(stored, 0, stored.length, target, 0), 3),
    () => {
      const decoded = MsgProto.decode(stored) as unknown as { redelivered: boolean; redeliveryCount: number };
      decoded.redelivered = true;
      decoded.redeliveryCount = 3;
      return MsgProto.encode(decoded as never).finish().length;
    },
  );
}

{
  const guid = text("GUID000000000000000001");
  const target = new Uint8Array(64);
  const PubAck = theirs("PubAck");
  race(
    "PubAck: size and encode",
    () => pubAckSize(guid.length) + writePubAck(target, 0, guid, 0, guid.length),
    () => PubAck.encode({ guid: "GUID000000000000000001" } as never).finish().length,
  );

  const ack = encodeAck({ subject: "foo.bar", sequence: 123_456n });
  const view = ackView();
  const Ack = theirs("Ack");
  race(
    "Ack: decode",
    () => readAck(view, ack, 0, ack.length) + view.sequence,
    () => (Ack.decode(ack) as unknown as { subject: string }).subject.length,
  );

  const SubStateUpdate = spbRoot.lookupType("spb.SubStateUpdate");
  race(
    "SubStateUpdate: encode",
    () => writeSubStateUpdate(target, 0, 17, 123_456),
    () => SubStateUpdate.encode({ ID: 17, seqno: 123_456 } as never).finish().length,
  );
  race(
    "SubStateUpdate: encode, general codec",
    () => encodeSubStateUpdate({ id: 17, seqno: 123_456 }).length,
    () => SubStateUpdate.encode({ ID: 17, seqno: 123_456 } as never).finish().length,
  );

  const request = { clientId: "client-1", heartbeatInbox: "_INBOX.HEARTBEAT00000000001", protocol: 1, connId };
  const bytes = encodeConnectRequest(request);
  const ConnectRequest = theirs("ConnectRequest");
  race(
    "ConnectRequest: encode, general codec",
    () => encodeConnectRequest(request).length,
    () => ConnectRequest.encode({ ...request, clientID: request.clientId, connID: connId } as never).finish().length,
  );
  race(
    "ConnectRequest: decode, general codec",
    () => decodeConnectRequest(bytes, 0, bytes.length).kind.length,
    () => (ConnectRequest.decode(bytes) as unknown as { clientID: string }).clientID.length,
  );
}

console.log(`\n${"copy, nanoseconds per call".padEnd(44)}    ours      set   ratio`);
for (const size of [8, 22, 64, 128, 129, 1_024]) {
  const source = new Uint8Array(size + 16);
  const target = new Uint8Array(size + 16);
  race(
    `${size} bytes`,
    () => copyBytes(source, 3, 3 + size, target, 5),
    () => {
      target.set(source.subarray(3, 3 + size), 5);
      return size;
    },
  );
}
if (sink === 0.5) console.log(sink);
