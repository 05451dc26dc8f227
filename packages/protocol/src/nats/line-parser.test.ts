import { seededRandom } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { latin1 } from "./ascii.ts";
import type { MessageFrame } from "./frame.ts";
import type { LineHandler } from "./line-handler.ts";
import { createLineParser, type LineParser, type LineParserLimits } from "./line-parser.ts";

type Settings = Partial<LineParserLimits> & {
  readonly side?: "client" | "server";
  readonly headersAllowed?: boolean;
  readonly connectRequired?: boolean;
  readonly onConnect?: (parser: LineParser) => void;
};

/** A parser whose events are kept as text: `PUB foo|reply|payload`. */
function recorder(settings: Settings = {}): { readonly events: string[]; readonly parser: LineParser } {
  const events: string[] = [];
  const text = (bytes: Uint8Array, start: number, end: number): string => latin1(bytes, start, end);
  const handler: LineHandler = {
    onConnect: (bytes, start, end) => {
      events.push(`CONNECT ${text(bytes, start, end)}`);
      settings.onConnect?.(parser);
    },
    onMessage: (frame) => events.push(messageText(frame)),
    onSubscribe: (frame) => {
      const { bytes } = frame;
      const queue = text(bytes, frame.queueStart, frame.queueEnd);
      events.push(
        `SUB ${text(bytes, frame.subjectStart, frame.subjectEnd)}|${queue}|${text(bytes, frame.sidStart, frame.sidEnd)}`,
      );
    },
    onUnsubscribe: (frame) => events.push(`UNSUB ${text(frame.bytes, frame.sidStart, frame.sidEnd)}|${frame.max}`),
    onPing: () => events.push("PING"),
    onPong: () => events.push("PONG"),
    onOk: () => events.push("+OK"),
    onError: (bytes, start, end) => events.push(`-ERR ${text(bytes, start, end)}`),
    onInfo: (bytes, start, end) => events.push(`INFO ${text(bytes, start, end)}`),
  };
  const parser = createLineParser({ side: "client", ...settings, handler });
  if (settings.headersAllowed !== undefined) parser.headersAllowed = settings.headersAllowed;
  if (settings.connectRequired !== undefined) parser.connectRequired = settings.connectRequired;
  return { events, parser };
}

function messageText(frame: MessageFrame): string {
  const { bytes } = frame;
  const part = (start: number, end: number): string => latin1(bytes, start, end);
  const headers = frame.headerSize < 0 ? "" : `|headers ${frame.headerSize}`;
  const sid = frame.sidEnd > frame.sidStart ? `|sid ${part(frame.sidStart, frame.sidEnd)}` : "";
  const size = part(frame.sizeStart, frame.sizeEnd);
  const payload = part(frame.payloadStart, frame.payloadEnd);
  return `MESSAGE ${part(frame.subjectStart, frame.subjectEnd)}|${part(frame.replyStart, frame.replyEnd)}|${size}|${payload}${sid}${headers}`;
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** Events and the kind of fault, if any, when `input` comes in the given pieces. */
function parse(input: string, cuts: readonly number[], settings: Settings = {}): string[] {
  const { events, parser } = recorder(settings);
  const bytes = bytesOf(input);
  const ends = [...cuts, bytes.length];
  let start = 0;
  // One buffer for all pieces, overwritten by each as a socket's would be: nothing may be kept by reference.
  const buffer = new Uint8Array(bytes.length);
  for (const end of ends) {
    buffer.fill(0x0a);
    buffer.set(bytes.subarray(start, end));
    const fault = parser.feed(buffer, 0, end - start);
    if (fault !== undefined) events.push(`FAULT ${fault.kind}`);
    start = end;
  }
  return events;
}

interface Case {
  readonly name: string;
  readonly input: string;
  readonly events: readonly string[];
  readonly settings?: Settings;
}

const CASES: readonly Case[] = [
  { name: "PING", input: "PING\r\n", events: ["PING"] },
  { name: "PONG", input: "PONG\r\n", events: ["PONG"] },
  { name: "verbs in lower and mixed case", input: "ping\r\nPoNg\r\n", events: ["PING", "PONG"] },
  { name: "lines that end with LF alone", input: "PING\nSUB foo 1\n", events: ["PING", "SUB foo||1"] },
  { name: "what follows PING on its line", input: "PING with more\r\nPINGxyz\n", events: ["PING", "PING"] },
  {
    name: "PING with a tail of any length",
    input: `PING${"x".repeat(5_000)}\r\nPONG\r\n`,
    events: ["PING", "PONG"],
  },
  { name: "+OK of a client", input: "+OK\r\nPING\r\n", events: ["+OK", "PING"] },
  { name: "-ERR of a client", input: "-ERR 'gone'\r\n", events: ["-ERR 'gone'"] },
  { name: "INFO of a client", input: "INFO {}\r\n", events: ["INFO {}"] },
  { name: "CONNECT", input: 'CONNECT {"verbose":false}\r\n', events: ['CONNECT {"verbose":false}'] },
  { name: "CONNECT without a blank", input: "CONNECT{}\r\n", events: ["CONNECT {}"] },
  { name: "CONNECT without arguments", input: "CONNECT\r\nPING\r\n", events: ["CONNECT \r", "PING"] },
  { name: "SUB", input: "SUB foo.* 12\r\n", events: ["SUB foo.*||12"] },
  { name: "SUB with a queue group", input: "SUB foo workers s1\r\n", events: ["SUB foo|workers|s1"] },
  { name: "SUB with tabs and blanks", input: "SUB \t foo\t q  7 \t\r\n", events: ["SUB foo|q|7"] },
  { name: "SUB parted by a carriage return", input: "SUB foo\rbar 1\r\n", events: ["SUB foo|bar|1"] },
  { name: "UNSUB", input: "UNSUB 12\r\n", events: ["UNSUB 12|0"] },
  { name: "UNSUB with a limit", input: "UNSUB 12 5\r\n", events: ["UNSUB 12|5"] },
  { name: "UNSUB with an unreadable limit", input: "UNSUB 1 abc\r\n", events: ["UNSUB 1|-1"] },
  { name: "UNSUB with too many digits", input: "UNSUB 1 9999999999\r\n", events: ["UNSUB 1|-1"] },
  { name: "PUB", input: "PUB foo 5\r\nhello\r\n", events: ["MESSAGE foo||5|hello"] },
  { name: "PUB with a reply", input: "PUB foo bar 5\r\nhello\r\n", events: ["MESSAGE foo|bar|5|hello"] },
  { name: "PUB without payload", input: "PUB foo 0\r\n\r\nPING\r\n", events: ["MESSAGE foo||0|", "PING"] },
  { name: "PUB with a padded size", input: "PUB foo 000000002\r\nhi\r\n", events: ["MESSAGE foo||000000002|hi"] },
  { name: "pub in lower case", input: "pub foo 2\r\nhi\r\n", events: ["MESSAGE foo||2|hi"] },
  { name: "PUB with LF alone", input: "PUB foo 2\nhi\r\n", events: ["MESSAGE foo||2|hi"] },
  { name: "PUB with tabs and blanks", input: "PUB \t foo \t r\t 2 \t\r\nhi\r\n", events: ["MESSAGE foo|r|2|hi"] },
  {
    name: "payload that looks like operations",
    input: "PUB foo 12\r\nPING\r\nPING\r\n\r\nPING\r\n",
    events: ["MESSAGE foo||12|PING\r\nPING\r\n", "PING"],
  },
  {
    name: "bytes that are no text",
    input: "PUB f\xffo 4\r\n\x00\xff\r\n\r\n",
    events: ["MESSAGE f\xffo||4|\x00\xff\r\n"],
  },
  {
    name: "many publishes of one series and of others",
    input: "PUB a b 1\r\n1\r\nPUB a b 1\r\n2\r\nPUB a c 1\r\n3\r\nPUB a 1\r\n4\r\nPUB ab 1\r\n5\r\nPUB a b 1\r\n6\r\n",
    events: [
      "MESSAGE a|b|1|1",
      "MESSAGE a|b|1|2",
      "MESSAGE a|c|1|3",
      "MESSAGE a||1|4",
      "MESSAGE ab||1|5",
      "MESSAGE a|b|1|6",
    ],
  },
  {
    name: "sizes that change within a series",
    input: "PUB a 1\r\n1\r\nPUB a 10\r\n0123456789\r\nPUB a 0\r\n\r\n",
    events: ["MESSAGE a||1|1", "MESSAGE a||10|0123456789", "MESSAGE a||0|"],
  },
  {
    name: "HPUB",
    input: "HPUB foo 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
    events: ["MESSAGE foo||14|NATS/1.0\r\n\r\nhi|headers 12"],
    settings: { headersAllowed: true },
  },
  {
    name: "HPUB with a reply",
    input: "hpub foo bar 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
    events: ["MESSAGE foo|bar|14|NATS/1.0\r\n\r\nhi|headers 12"],
    settings: { headersAllowed: true },
  },
  {
    name: "a client's session",
    input: 'CONNECT {"name":"x"}\r\nSUB foo 1\r\nPUB foo 2\r\nhi\r\nUNSUB 1\r\nPING\r\n',
    events: ['CONNECT {"name":"x"}', "SUB foo||1", "MESSAGE foo||2|hi", "UNSUB 1|0", "PING"],
  },
  {
    name: "MSG of a server",
    input: "MSG foo 7 5\r\nhello\r\nMSG foo 7 reply 2\r\nhi\r\n",
    events: ["MESSAGE foo||5|hello|sid 7", "MESSAGE foo|reply|2|hi|sid 7"],
    settings: { side: "server" },
  },
  {
    name: "HMSG of a server",
    input: "HMSG in.1 9 16 16\r\nNATS/1.0 503\r\n\r\n\r\nHMSG a b c 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
    events: [
      "MESSAGE in.1||16|NATS/1.0 503\r\n\r\n|sid 9|headers 16",
      "MESSAGE a|c|14|NATS/1.0\r\n\r\nhi|sid b|headers 12",
    ],
    settings: { side: "server" },
  },
  {
    name: "INFO, +OK, -ERR, PING and PONG of a server",
    input: "INFO {} \r\n+OK\r\n-ERR 'Stale Connection'\r\nPING\r\nPONG\r\n",
    events: ["INFO {} ", "+OK", "-ERR 'Stale Connection'", "PING", "PONG"],
    settings: { side: "server" },
  },

  // What is refused, and where.
  { name: "another protocol", input: "GET / HTTP/1.1\r\n", events: ["FAULT unknown_operation"] },
  { name: "one wrong byte", input: "G", events: ["FAULT unknown_operation"] },
  { name: "a wrong byte within a verb", input: "PUX", events: ["FAULT unknown_operation"] },
  { name: "an empty line", input: "PING\r\n\r\nPING\r\n", events: ["PING", "FAULT unknown_operation"] },
  { name: "PUB without a blank", input: "PUBfoo 2\r\n", events: ["FAULT unknown_operation"] },
  { name: "UNSUB at its line's end", input: "UNSUB\r\n", events: ["FAULT unknown_operation"] },
  { name: "MSG from a client", input: "MSG foo 1 2\r\nhi\r\n", events: ["FAULT unknown_operation"] },
  { name: "HMSG from a client", input: "HMSG foo 1 2 2\r\nhi\r\n", events: ["FAULT unknown_operation"] },
  { name: "routes' and leaf nodes' operations", input: "RS+ foo\r\n", events: ["FAULT unknown_operation"] },
  {
    name: "PUB from a server",
    input: "PUB foo 2\r\n",
    events: ["FAULT unknown_operation"],
    settings: { side: "server" },
  },
  { name: "SUB without a number", input: "SUB foo\r\n", events: ["FAULT bad_arguments"] },
  { name: "SUB with too many arguments", input: "SUB foo a b c\r\n", events: ["FAULT bad_arguments"] },
  { name: "SUB without arguments", input: "SUB \r\n", events: ["FAULT bad_arguments"] },
  { name: "UNSUB with too many arguments", input: "UNSUB 1 2 3\r\n", events: ["FAULT bad_arguments"] },
  { name: "PUB without a size", input: "PUB foo\r\n", events: ["FAULT bad_arguments"] },
  { name: "PUB with a word for a size", input: "PUB foo bar\r\n", events: ["FAULT bad_arguments"] },
  { name: "PUB with a negative size", input: "PUB foo -2\r\nhi\r\n", events: ["FAULT bad_arguments"] },
  { name: "PUB with a signed size", input: "PUB foo +2\r\nhi\r\n", events: ["FAULT bad_arguments"] },
  { name: "PUB with ten digits", input: "PUB foo 0000000002\r\nhi\r\n", events: ["FAULT bad_arguments"] },
  { name: "PUB with twenty digits", input: "PUB foo 99999999999999999999\r\n", events: ["FAULT bad_arguments"] },
  { name: "PUB with too many arguments", input: "PUB a b c 2\r\nhi\r\n", events: ["FAULT bad_arguments"] },
  { name: "PUB with a carriage return in its size", input: "PUB foo 2\r\r\nhi\r\n", events: ["FAULT bad_arguments"] },
  { name: "a payload longer than its size", input: "PUB foo 2\r\nhixx\r\n", events: ["FAULT unknown_operation"] },
  {
    name: "a payload shorter than its size",
    input: "PUB foo 3\r\nhi\r\nPING\r\n",
    events: ["FAULT unknown_operation"],
  },
  { name: "a payload that ends with LF alone", input: "PUB foo 2\r\nhi\n\n", events: ["FAULT unknown_operation"] },
  { name: "a payload without LF", input: "PUB foo 2\r\nhi\rX", events: ["FAULT unknown_operation"] },
  { name: "HPUB without headers announced", input: "HPUB foo 12 14\r\n", events: ["FAULT headers_not_supported"] },
  {
    name: "HPUB with headers larger than the whole",
    input: "HPUB foo 15 14\r\n",
    events: ["FAULT bad_arguments"],
    settings: { headersAllowed: true },
  },
  {
    name: "HPUB with one size",
    input: "HPUB foo 2\r\n",
    events: ["FAULT bad_arguments"],
    settings: { headersAllowed: true },
  },
  {
    name: "HPUB with a word for its headers' size",
    input: "HPUB foo x 2\r\n",
    events: ["FAULT bad_arguments"],
    settings: { headersAllowed: true },
  },
  {
    name: "HPUB with a word for its size",
    input: "HPUB foo 2 x\r\n",
    events: ["FAULT bad_arguments"],
    settings: { headersAllowed: true },
  },
  {
    name: "a payload over the limit",
    input: "PUB foo 11\r\nhello world\r\n",
    events: ["FAULT payload_exceeded"],
    settings: { maxPayload: 10 },
  },
  {
    name: "a payload at the limit",
    input: "PUB foo 10\r\n0123456789\r\n",
    events: ["MESSAGE foo||10|0123456789"],
    settings: { maxPayload: 10 },
  },
  {
    name: "headers and payload over the limit",
    input: "HPUB foo 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
    events: ["FAULT payload_exceeded"],
    settings: { maxPayload: 13, headersAllowed: true },
  },
  {
    name: "arguments at the limit",
    input: "SUB 123456 1\r\nPUB 1234 1\r\nx\r\nUNSUB 12345678\r\n",
    events: ["SUB 123456||1", "MESSAGE 1234||1|x", "UNSUB 12345678|0"],
    settings: { maxControlLine: 8 },
  },
  {
    name: "SUB over the limit",
    input: "SUB 1234567 1\r\n",
    events: ["FAULT control_line_exceeded"],
    settings: { maxControlLine: 8 },
  },
  {
    name: "PUB over the limit",
    input: "PUB 1234567 1\r\nx\r\n",
    events: ["FAULT control_line_exceeded"],
    settings: { maxControlLine: 8 },
  },
  {
    name: "CONNECT over the limit",
    input: "CONNECT {       }\r\n",
    events: ["FAULT control_line_exceeded"],
    settings: { maxControlLine: 8 },
  },
  {
    name: "arguments without an end",
    input: "SUB 1234567890",
    events: ["FAULT control_line_exceeded"],
    settings: { maxControlLine: 8 },
  },
  {
    name: "blanks before arguments, which are not counted",
    input: `PUB ${" ".repeat(50)}foo 1\r\nx\r\n`,
    events: ["MESSAGE foo||1|x"],
    settings: { maxControlLine: 8 },
  },
  {
    name: "anything but CONNECT while that is required",
    input: "PING\r\n",
    events: ["FAULT connect_required"],
    settings: { connectRequired: true },
  },
  {
    name: "PUB while CONNECT is required",
    input: "PUB foo 2\r\nhi\r\n",
    events: ["FAULT connect_required"],
    settings: { connectRequired: true },
  },
  {
    name: "another verb in C while CONNECT is required",
    input: "CPUB",
    events: ["FAULT unknown_operation"],
    settings: { connectRequired: true },
  },
  {
    name: "CONNECT where it is required",
    input: "connect {}\r\n",
    events: ["CONNECT {}"],
    settings: { connectRequired: true },
  },
];

describe("createLineParser()", () => {
  for (const { name, input, events, settings } of CASES) {
    it(`reads ${name} wherever the input is cut`, () => {
      expect(parse(input, [], settings)).toEqual(events);
      for (let cut = 1; cut < input.length; cut++) {
        expect(parse(input, [cut], settings), `cut at ${cut}`).toEqual(events);
      }
      const everywhere = Array.from({ length: input.length - 1 }, (_, i) => i + 1);
      expect(parse(input, everywhere, settings), "byte by byte").toEqual(events);
    });
  }

  it("reads a long session the same however it is cut", () => {
    const random = seededRandom(7);
    const session: string[] = [];
    for (let i = 0; i < 300; i++) session.push(randomOperation(random.next));
    const input = session.join("");
    const whole = parse(input, []);
    expect(whole).toHaveLength(300);
    for (let round = 0; round < 50; round++) {
      expect(parse(input, randomCuts(random.next, input.length, 200))).toEqual(whole);
    }
  });

  it("decides on mutilated input the same however it is cut, and never throws", () => {
    const random = seededRandom(11);
    let faults = 0;
    for (let round = 0; round < 2_000; round++) {
      const operations = Array.from({ length: 5 }, () => randomOperation(random.next)).join("");
      const input = mutilate(operations, random.next);
      const settings: Settings = { maxControlLine: 40, maxPayload: 60 };
      const whole = parse(input, [], settings);
      expect(parse(input, randomCuts(random.next, input.length, 12), settings), JSON.stringify(input)).toEqual(whole);
      if (whole.at(-1)?.startsWith("FAULT")) faults++;
    }
    expect(faults).toBeGreaterThan(500);
  });

  it("reads random bytes without throwing", () => {
    const random = seededRandom(3);
    const bytes = new Uint8Array(64);
    for (let round = 0; round < 2_000; round++) {
      random.fill(bytes);
      const { parser } = recorder({ side: round % 2 === 0 ? "client" : "server" });
      expect(() => parser.feed(bytes)).not.toThrow();
    }
  });

  it("reports a fault once and ignores what comes after it", () => {
    const { events, parser } = recorder();
    expect(parser.feed(bytesOf("PING\r\nBAD"))?.kind).toBe("unknown_operation");
    expect(parser.feed(bytesOf("PING\r\n"))).toBeUndefined();
    expect(events).toEqual(["PING"]);
  });

  it("refuses a payload over the limit before it takes any of it in", () => {
    const { parser } = recorder({ maxPayload: 1_000 });
    expect(parser.feed(bytesOf("PUB foo 1001\r\nx"))).toEqual({ kind: "payload_exceeded", size: 1_001, max: 1_000 });
    expect(parser.bufferedBytes).toBe(0);
  });

  it("holds back no more than the arguments' limit of a line without end", () => {
    const { parser } = recorder({ maxControlLine: 100 });
    parser.feed(bytesOf(`SUB ${"x".repeat(90)}`));
    expect(parser.bufferedBytes).toBe(90);
    expect(parser.feed(bytesOf("x".repeat(1_000)))?.kind).toBe("control_line_exceeded");
    expect(parser.bufferedBytes).toBe(0);
  });

  it("holds nothing back between operations, nor while it skips blanks or a PING's tail", () => {
    const { parser } = recorder();
    for (const input of ["PING\r\n", "PING and more", "\r\n", "PUB        ", "foo 3\r\nabc\r\n"]) {
      parser.feed(bytesOf(input));
      expect(parser.bufferedBytes).toBe(0);
    }
  });

  it("takes in a payload that spans many chunks", () => {
    const payload = "abcdefghij".repeat(20_000);
    const input = `PUB big reply ${payload.length}\r\n${payload}\r\nPING\r\n`;
    const cuts = Array.from({ length: 40 }, (_, i) => (i + 1) * 4_999);
    expect(parse(input, cuts)).toEqual([`MESSAGE big|reply|200000|${payload}`, "PING"]);
  });

  it("reports nothing more once a handler has stopped it, not even what its chunk still holds", () => {
    for (const input of ["PING\r\nPING\r\n", "PUB a 1\r\nx\r\nPUB a 1\r\nx\r\n", "SUB a 1\r\nSUB b 2\r\n"]) {
      let calls = 0;
      const stop = (): void => {
        calls++;
        parser.stop();
      };
      const parser = createLineParser({ side: "client", handler: handlerOf(stop) });
      expect(parser.feed(bytesOf(input))).toBeUndefined();
      expect(parser.feed(bytesOf(input))).toBeUndefined();
      expect(calls).toBe(1);
    }
  });

  it("passes on what a handler throws and reports nothing after it", () => {
    const parser = createLineParser({
      side: "client",
      handler: handlerOf(() => {
        throw new Error("broken handler");
      }),
    });
    expect(() => parser.feed(bytesOf("PUB a 1\r\nx\r\nPING\r\n"))).toThrow("broken handler");
    expect(parser.feed(bytesOf("PING\r\n"))).toBeUndefined();
  });

  it("requires no CONNECT any more once its handler says so", () => {
    const events: string[] = [];
    const parser = createLineParser({
      side: "client",
      handler: {
        ...handlerOf(() => {}),
        onConnect: () => {
          parser.connectRequired = false;
        },
        onPing: () => events.push("PING"),
      },
    });
    parser.connectRequired = true;
    expect(parser.feed(bytesOf("CONNECT {}\r\nPING\r\n"))).toBeUndefined();
    expect(events).toEqual(["PING"]);
  });
});

describe("LineParser.hold()", () => {
  it("keeps back what follows, and hands it on when released, wherever the input is cut", () => {
    const input = "CONNECT {}\r\nPUB a 2\r\nhi\r\nSUB b 1\r\nPING\r\n";
    for (let cut = 1; cut < input.length; cut++) {
      const { events, parser } = recorder({ onConnect: (self) => self.hold() });
      parser.feed(bytesOf(input.slice(0, cut)));
      parser.feed(bytesOf(input.slice(cut)));
      expect(events).toEqual(["CONNECT {}"]);
      expect(parser.release()).toBeUndefined();
      expect(events).toEqual(["CONNECT {}", "MESSAGE a||2|hi", "SUB b||1", "PING"]);
      expect(parser.bufferedBytes).toBe(0);
    }
  });

  it("reports a fault when what was held back turns out to have one, and nothing after stop()", () => {
    const { parser } = recorder();
    parser.hold();
    expect(parser.feed(bytesOf("GET /"))).toBeUndefined();
    expect(parser.bufferedBytes).toBe(5);
    expect(parser.release()).toMatchObject({ kind: "unknown_operation" });
    const other = recorder();
    other.parser.hold();
    other.parser.feed(bytesOf("PING\r\n"));
    other.parser.stop();
    expect(other.parser.release()).toBeUndefined();
    expect(other.events).toEqual([]);
  });
});

describe("MessageFrame.series", () => {
  it("is the same for messages with the same subject and reply, and only for them", () => {
    const random = seededRandom(5);
    for (let round = 0; round < 200; round++) {
      const names = ["a", "ab", "abc", "a.b", "x".repeat(70), "x".repeat(71)];
      const pick = (): string => names[Math.floor(random.next() * names.length)]!;
      const input: string[] = [];
      for (let i = 0; i < 30; i++) {
        const line = random.next() < 0.5 ? `PUB ${pick()} ${pick()} 2\r\nhi\r\n` : `PUB ${pick()} 2\r\nhi\r\n`;
        const repeats = random.next() < 0.5 ? 3 : 1;
        for (let n = 0; n < repeats; n++) input.push(random.next() < 0.1 ? line.replace("PUB", "pub") : line);
        if (random.next() < 0.2) input.push("PING\r\n");
      }
      const text = input.join("");
      const bySeries = new Map<number, string>();
      let repeated = 0;
      const { parser } = collector((frame) => {
        const subject = latin1(frame.bytes, frame.subjectStart, frame.subjectEnd);
        const route = `${subject} ${latin1(frame.bytes, frame.replyStart, frame.replyEnd)}`;
        const known = bySeries.get(frame.series);
        if (known !== undefined) repeated++;
        expect(known ?? route).toBe(route);
        bySeries.set(frame.series, route);
      });
      const bytes = bytesOf(text);
      const buffer = new Uint8Array(bytes.length);
      let start = 0;
      for (const end of [...randomCuts(random.next, bytes.length, 10), bytes.length]) {
        buffer.set(bytes.subarray(start, end));
        parser.feed(buffer, 0, end - start);
        start = end;
      }
      expect(repeated).toBeGreaterThan(0);
    }
  });
});

describe("MessageFrame.tailStart", () => {
  it("is where a publish written as clients write it goes on behind its subject", () => {
    const tails: string[] = [];
    const { parser } = collector((frame) => {
      tails.push(frame.tailStart < 0 ? "none" : latin1(frame.bytes, frame.tailStart, frame.payloadEnd + 2));
    });
    parser.feed(bytesOf("PUB a b 1\r\nx\r\nPUB a 1\r\ny\r\nPUB a b 2\r\nxx\r\nPUB a b 1\r\nz\r\n"));
    expect(tails).toEqual(["b 1\r\nx\r\n", "1\r\ny\r\n", "b 2\r\nxx\r\n", "b 1\r\nz\r\n"]);
  });

  it("is -1 where the bytes are not those a server would write", () => {
    const tails: number[] = [];
    const { parser } = collector((frame) => {
      tails.push(frame.tailStart);
    });
    parser.feed(bytesOf("PUB a  b 1\r\nx\r\nPUB a\tb 1\r\nx\r\nPUB a b 1\nx\r\nPUB a b 1 \r\nx\r\n"));
    expect(tails).toEqual([-1, -1, -1, -1]);
  });
});

function collector(onMessage: (frame: MessageFrame) => void): { readonly parser: LineParser } {
  return { parser: createLineParser({ side: "client", handler: { ...handlerOf(() => {}), onMessage } }) };
}

function handlerOf(call: () => void): LineHandler {
  return {
    onConnect: call,
    onMessage: call,
    onSubscribe: call,
    onUnsubscribe: call,
    onPing: call,
    onPong: call,
    onOk: call,
    onError: call,
    onInfo: call,
  };
}

function randomOperation(next: () => number): string {
  const words = ["foo", "foo.bar", "_INBOX.abcdefghijkl", "x", "orders.*"];
  const word = (): string => words[Math.floor(next() * words.length)]!;
  const payload = "payload PUB x 1\r\n".repeat(3).slice(0, Math.floor(next() * 40));
  switch (Math.floor(next() * 8)) {
    case 0:
      return "PING\r\n";
    case 1:
      return "pong\n";
    case 2:
      return `SUB ${word()} ${Math.floor(next() * 100)}\r\n`;
    case 3:
      return `UNSUB ${Math.floor(next() * 100)} 3\r\n`;
    case 4:
      return `PUB ${word()} ${word()} ${payload.length}\r\n${payload}\r\n`;
    case 5:
      return 'CONNECT {"verbose":false}\r\n';
    default:
      return `PUB ${word()} ${payload.length}\r\n${payload}\r\n`;
  }
}

/** Drops, doubles or changes a few bytes. */
function mutilate(input: string, next: () => number): string {
  let text = input;
  for (let i = 0; i < 1 + next() * 3; i++) {
    const at = Math.floor(next() * text.length);
    const kind = next();
    const byte = String.fromCharCode(Math.floor(next() * 256));
    if (kind < 0.3) text = text.slice(0, at) + text.slice(at + 1);
    else if (kind < 0.6) text = text.slice(0, at) + byte + text.slice(at);
    else text = text.slice(0, at) + byte + text.slice(at + 1);
  }
  return text;
}

function randomCuts(next: () => number, length: number, count: number): number[] {
  const cuts = new Set<number>();
  for (let i = 0; i < count; i++) cuts.add(1 + Math.floor(next() * (length - 1)));
  return [...cuts].filter((cut) => cut < length).sort((a, b) => a - b);
}
