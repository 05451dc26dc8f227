import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ascii } from "../test-support/events.ts";
import { CONTROL_LINE_MAX, checkSubscription, createOutgoing, type Outgoing } from "./outgoing.ts";

function recorded(): { outgoing: Outgoing; pieces: string[] } {
  const pieces: string[] = [];
  const outgoing = createOutgoing((piece) => pieces.push(Buffer.from(piece).toString("latin1")));
  return { outgoing, pieces };
}

function publish(outgoing: Outgoing, subject: string, payload: string, reply = ""): void {
  const bytes = ascii(`<${payload}>`);
  outgoing.publish(subject, reply, bytes, 1, bytes.length - 1);
}

describe("outgoing messages", () => {
  it("are composed as PUB lines with the range of the payload", () => {
    const { outgoing, pieces } = recorded();
    publish(outgoing, "foo", "hello");
    publish(outgoing, "foo.bar", "", "_INBOX.1");
    outgoing.flush();
    expect(pieces).toEqual(["PUB foo 5\r\nhello\r\nPUB foo.bar _INBOX.1 0\r\n\r\n"]);
  });

  it("go out together at the end of the turn", async () => {
    const { outgoing, pieces } = recorded();
    publish(outgoing, "a", "1");
    publish(outgoing, "b", "2");
    expect(pieces).toEqual([]);
    await Promise.resolve();
    expect(pieces).toEqual(["PUB a 1\r\n1\r\nPUB b 1\r\n2\r\n"]);
    publish(outgoing, "c", "3");
    await Promise.resolve();
    expect(pieces[1]).toBe("PUB c 1\r\n3\r\n");
  });

  it("keep the payload as it was, whatever becomes of the publisher's buffer and of later messages", () => {
    const pieces: Uint8Array[] = [];
    const outgoing = createOutgoing((piece) => pieces.push(piece));
    const bytes = ascii("hello");
    outgoing.publish("foo", "", bytes, 0, 5);
    bytes.fill(0);
    outgoing.flush();
    for (let i = 0; i < 10_000; i++) publish(outgoing, "bar", "x".repeat(100));
    expect(Buffer.from(pieces[0]!).toString()).toBe("PUB foo 5\r\nhello\r\n");
  });

  it("of any size arrive whole and in order", () => {
    const message = fc.record({
      subject: fc.stringMatching(/^[a-z.]{1,40}$/),
      reply: fc.stringMatching(/^[a-z.]{0,40}$/),
      size: fc.oneof(fc.nat(300), fc.constantFrom(9, 10, 99, 100, 65_000, 65_536, 200_000)),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
        const { outgoing, pieces } = recorded();
        let expected = "";
        for (const { subject, reply, size } of messages) {
          const payload = "x".repeat(size);
          publish(outgoing, subject, payload, reply);
          expected += `PUB ${subject}${reply === "" ? "" : ` ${reply}`} ${size}\r\n${payload}\r\n`;
        }
        outgoing.flush();
        expect(pieces.join("") === expected).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("write subjects byte by byte", () => {
    const { outgoing, pieces } = recorded();
    publish(outgoing, "f\xc3\xa9\xff", "x");
    outgoing.flush();
    expect(pieces).toEqual(["PUB f\xc3\xa9\xff 1\r\nx\r\n"]);
  });

  it.each(["", "a b", "a\tb", "a\r\nPUB evil 0", "a\nb", "a\u0100b", "x".repeat(CONTROL_LINE_MAX)])(
    "are refused for the subject %j, and leave nothing behind",
    async (subject) => {
      const { outgoing, pieces } = recorded();
      expect(() => publish(outgoing, subject, "x")).toThrow(expect.objectContaining({ code: "bad_subject" }));
      await Promise.resolve();
      expect(pieces).toEqual([]);
    },
  );

  it.each(["a b", "a\r\n", "\u0100"])("are refused for the reply %j", (reply) => {
    const { outgoing, pieces } = recorded();
    expect(() => publish(outgoing, "foo", "x", reply)).toThrow(expect.objectContaining({ code: "bad_subject" }));
    publish(outgoing, "bar", "y");
    outgoing.flush();
    expect(pieces).toEqual(["PUB bar 1\r\ny\r\n"]);
  });

  it("have lines of at most what a NATS server accepts", () => {
    const { outgoing, pieces } = recorded();
    for (let length = CONTROL_LINE_MAX - 40; length <= CONTROL_LINE_MAX; length++) {
      try {
        outgoing.publish("s".repeat(length), "r", new Uint8Array(1_000_000), 0, 1_000_000);
      } catch {
        break;
      }
    }
    outgoing.flush();
    const lines = pieces.join("").match(/PUB [^\r]*/g) ?? [];
    expect(lines.length).toBeGreaterThan(5);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(CONTROL_LINE_MAX);
  });
});

describe("checkSubscription", () => {
  it.each(["foo", "foo.*", ">", "_STAN.pub.\xc3\xa9.>"])("accepts %s", (subject) => {
    expect(() => checkSubscription(subject, "")).not.toThrow();
    expect(() => checkSubscription(subject, "group")).not.toThrow();
  });

  it.each([
    ["", ""],
    ["a b", ""],
    ["a\r\n", ""],
    ["a", "b c"],
    ["a", "\u20ac"],
    ["x".repeat(CONTROL_LINE_MAX), ""],
    ["x", "q".repeat(CONTROL_LINE_MAX)],
  ])("refuses %j in queue %j", (subject, queue) => {
    expect(() => checkSubscription(subject, queue)).toThrow(expect.objectContaining({ code: "bad_subject" }));
  });
});
