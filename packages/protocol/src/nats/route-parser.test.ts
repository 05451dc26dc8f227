import { describe, expect, it } from "vitest";
import { latin1 } from "./ascii.ts";
import type { MessageFrame } from "./frame.ts";
import type { RouteLineHandler } from "./line-handler.ts";
import { createLineParser } from "./line-parser.ts";
import { decodeRouteConnect, encodeRouteConnect } from "./route-connect.ts";
import { decodeRouteInfo, encodeRouteInfo, type RouteInfo } from "./route-info.ts";
import { encodeInterestGained, encodeInterestLost } from "./route-writers.ts";

/** Events, and the fault if any, when `input` comes in the given pieces, each overwriting the one before. */
function parse(input: string, cuts: readonly number[] = []): string[] {
  const events: string[] = [];
  const text = (bytes: Uint8Array, start: number, end: number): string => latin1(bytes, start, end);
  const handler: RouteLineHandler = {
    onConnect: (bytes, start, end) => events.push(`CONNECT ${text(bytes, start, end)}`),
    onMessage: (frame) => events.push(messageText(frame)),
    onInterest: (frame) => {
      const { bytes } = frame;
      const account = text(bytes, frame.accountStart, frame.accountEnd);
      const queue = text(bytes, frame.queueStart, frame.queueEnd);
      events.push(`INTEREST ${account}|${text(bytes, frame.subjectStart, frame.subjectEnd)}|${queue}|${frame.weight}`);
    },
    onPing: () => events.push("PING"),
    onPong: () => events.push("PONG"),
    onOk: () => events.push("+OK"),
    onError: (bytes, start, end) => events.push(`-ERR ${text(bytes, start, end)}`),
    onInfo: (bytes, start, end) => events.push(`INFO ${text(bytes, start, end)}`),
  };
  const parser = createLineParser({ side: "route", handler, maxPayload: 100 });
  const bytes = Buffer.from(input, "latin1");
  const buffer = new Uint8Array(bytes.length);
  let start = 0;
  for (const end of [...cuts, bytes.length]) {
    buffer.fill(0x0a);
    buffer.set(bytes.subarray(start, end));
    const fault = parser.feed(buffer, 0, end - start);
    if (fault !== undefined) events.push(`FAULT ${fault.kind}`);
    start = end;
  }
  return events;
}

function messageText(frame: MessageFrame): string {
  const { bytes } = frame;
  const part = (start: number, end: number): string => latin1(bytes, start, end);
  return [
    `MESSAGE ${part(frame.accountStart, frame.accountEnd)}`,
    part(frame.subjectStart, frame.subjectEnd),
    part(frame.replyStart, frame.replyEnd),
    part(frame.queuesStart, frame.queuesEnd),
    String(frame.headerSize),
    part(frame.sizeStart, frame.sizeEnd),
    part(frame.payloadStart, frame.payloadEnd),
  ].join("|");
}

const CASES: readonly (readonly [string, string, readonly string[]])[] = [
  ["a message", "RMSG $G foo 2\r\nhi\r\n", ["MESSAGE $G|foo|||-1|2|hi"]],
  ["a message with a reply", "RMSG $G foo bar 2\r\nhi\r\n", ["MESSAGE $G|foo|bar||-1|2|hi"]],
  ["a message for queue groups", "RMSG $G foo | q1 q2 2\r\nhi\r\n", ["MESSAGE $G|foo||q1 q2|-1|2|hi"]],
  ["a message for queue groups with a reply", "RMSG $G foo + r q 2\r\nhi\r\n", ["MESSAGE $G|foo|r|q|-1|2|hi"]],
  ["a reply that looks like a mark", "RMSG $G foo + 2\r\nhi\r\n", ["MESSAGE $G|foo|+||-1|2|hi"]],
  ["blanks of any kind", "rmsg  $G\t foo  |\tq  2 \r\nhi\r\n", ["MESSAGE $G|foo||q|-1|2|hi"]],
  ["headers", "HMSG $G foo 4 6\r\nabcdhi\r\n", ["MESSAGE $G|foo|||4|6|abcdhi"]],
  ["headers with a reply", "HMSG $G foo r 4 6\r\nabcdhi\r\n", ["MESSAGE $G|foo|r||4|6|abcdhi"]],
  ["headers for queue groups", "HMSG $G foo + r q w 4 6\r\nabcdhi\r\n", ["MESSAGE $G|foo|r|q w|4|6|abcdhi"]],
  ["interest", "RS+ $G foo.*\r\nRS- $G foo.*\r\n", ["INTEREST $G|foo.*||1", "INTEREST $G|foo.*||0"]],
  ["interest of queue groups", "RS+ $G a q 3\r\nRS- $G a q\r\n", ["INTEREST $G|a|q|3", "INTEREST $G|a|q|0"]],
  ["a weight that is too great for a list", "RS+ $G a q 99999999\r\n", ["INTEREST $G|a|q|65536"]],
  [
    "interest of leaf nodes and accounts, and passes it over",
    "LS+ x $G a\r\nLS- x $G a\r\nA+ x\r\nA- x\r\nPING\r\n",
    ["PING"],
  ],
  [
    "what introduces a server",
    'CONNECT {"a":1}\r\nINFO {"b":2}\r\nPONG\r\n+OK\r\n-ERR \'x\'\r\n',
    ['CONNECT {"a":1}', 'INFO {"b":2}', "PONG", "+OK", "-ERR 'x'"],
  ],
  ["no operation of a client", "SUB foo 1\r\n", ["FAULT unknown_operation"]],
  ["no message without a size", "RMSG $G foo\r\n", ["FAULT bad_arguments"]],
  ["no message without a number for a size", "RMSG $G foo x\r\n", ["FAULT bad_arguments"]],
  ["no message with words instead of queue groups", "RMSG $G foo a b 2\r\n", ["FAULT bad_arguments"]],
  ["no message with a mark of two characters", "RMSG $G foo || q 2\r\n", ["FAULT bad_arguments"]],
  ["no headers larger than the whole", "HMSG $G foo 4 3\r\n", ["FAULT bad_arguments"]],
  ["no headers without their size", "HMSG $G foo 3\r\n", ["FAULT bad_arguments"]],
  ["no payload over the limit", "RMSG $G foo 101\r\n", ["FAULT payload_exceeded"]],
  ["no interest without a subject", "RS+ $G\r\n", ["FAULT bad_arguments"]],
  ["no queue group without a weight", "RS+ $G a q\r\n", ["FAULT bad_arguments"]],
  ["no queue group without a member", "RS+ $G a q 0\r\n", ["FAULT bad_arguments"]],
  ["no weight of lost interest", "RS- $G a q 1\r\n", ["FAULT bad_arguments"]],
  ["no interest with more behind it", "RS+ $G a q 1 x\r\n", ["FAULT bad_arguments"]],
];

describe("createLineParser() for a route", () => {
  for (const [name, input, events] of CASES) {
    it(`reads ${name}, wherever the input is cut`, () => {
      expect(parse(input)).toEqual(events);
      for (let cut = 1; cut < input.length; cut++) expect(parse(input, [cut])).toEqual(events);
      expect(parse(input, [...input].map((_, i) => i + 1).slice(0, -1))).toEqual(events);
    });
  }

  it("shows the rest of a message in one piece only when it is written in the usual way", () => {
    const tails: string[] = [];
    const ignore = (): void => {};
    const parser = createLineParser({
      side: "route",
      handler: {
        onMessage: ({ bytes, tailStart, payloadEnd }) =>
          tails.push(tailStart < 0 ? "none" : latin1(bytes, tailStart, payloadEnd + 2)),
        onConnect: ignore,
        onInterest: ignore,
        onPing: ignore,
        onPong: ignore,
        onOk: ignore,
        onError: ignore,
        onInfo: ignore,
      },
    });
    const input = [
      "RMSG $G a 1\r\nx\r\nRMSG $G a r 1\r\nx\r\nRMSG $G a | q 1\r\nx\r\nRMSG $G a + r q 1\r\nx\r\n",
      "RMSG $G a r\t1\r\nx\r\nRMSG $G a 1\nx\r\nRMSG $G a 1 \nx\r\nHMSG $G a 1 2\r\nxy\r\n",
    ].join("");
    parser.feed(Buffer.from(input));
    expect(tails).toEqual(["1\r\nx\r\n", "r 1\r\nx\r\n", "1\r\nx\r\n", "none", "none", "none", "none", "none"]);
  });
});

describe("the introduction of servers", () => {
  const line = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

  it("writes CONNECT as nats-server does, credentials only when there are any, and reads it back", () => {
    const connect = {
      name: "N",
      user: "",
      pass: "",
      headers: true,
      cluster: "c",
      cluster_dynamic: false,
      tls_required: false,
    };
    const bytes = encodeRouteConnect(connect);
    expect(line(bytes)).toBe(
      'CONNECT {"echo":true,"verbose":false,"pedantic":false,"name":"N","headers":true,"cluster":"c","tls_required":false}\r\n',
    );
    const full = { ...connect, user: "u", pass: "p", cluster_dynamic: true };
    const again = encodeRouteConnect(full);
    expect(decodeRouteConnect(again, 8, again.length)).toEqual({
      kind: "connect",
      connect: { ...full, lang: "", gateway: "" },
    });
  });

  const info: RouteInfo = {
    server_id: "N",
    server_name: "n",
    version: "2.9.10",
    proto: 1,
    go: "go1.19",
    host: "h",
    port: 6222,
    headers: true,
    auth_required: false,
    tls_required: false,
    max_payload: 1024,
    ip: "",
    cluster: "c",
    cluster_dynamic: true,
    connect_urls: ["h:4222"],
    ldm: false,
    settles_by_id: false,
  };

  it("writes INFO without what is false or empty, and reads it back", () => {
    const bytes = encodeRouteInfo(info);
    expect(line(bytes)).toBe(
      'INFO {"server_id":"N","server_name":"n","version":"2.9.10","proto":1,"go":"go1.19","host":"h","port":6222,"headers":true,"max_payload":1024,"cluster":"c","cluster_dynamic":true,"connect_urls":["h:4222"]} \r\n',
    );
    expect(decodeRouteInfo(bytes, 5, bytes.length)).toEqual({ kind: "info", info });
  });

  it("refuses what is no JSON object, names nobody, or comes from a port for clients", () => {
    for (const text of ["", "[]", "null", "x", "{}", '{"server_id":7}', '{"server_id":"N","client_id":3}']) {
      const bytes = Buffer.from(text);
      expect(decodeRouteInfo(bytes, 0, bytes.length).kind).toBe("invalid");
    }
    expect(decodeRouteConnect(Buffer.from("3"), 0, 1).kind).toBe("invalid");
  });

  it("takes fields of the wrong type for absent", () => {
    const bytes = Buffer.from('{"server_id":"N","port":1.5,"headers":"x","connect_urls":["a",1],"cluster":{}}');
    expect(decodeRouteInfo(bytes, 0, bytes.length)).toMatchObject({
      info: { port: 0, headers: false, connect_urls: ["a"], cluster: "" },
    });
  });

  it("writes interest with the weight of queue groups only", () => {
    expect(line(encodeInterestGained("a.*", "", 7))).toBe("RS+ $G a.*\r\n");
    expect(line(encodeInterestGained("a", "q", 7))).toBe("RS+ $G a q 7\r\n");
    expect(line(encodeInterestLost("a", ""))).toBe("RS- $G a\r\n");
    expect(Buffer.from(encodeInterestLost("\xff", "q")).toString("latin1")).toBe("RS- $G \xff q\r\n");
  });
});
