import { describe, expect, it } from "vitest";
import { FakeSource, fakeChannel, nanosOf } from "../test-support/fake-source.ts";
import { type Answer, type GetOptions, get } from "../test-support/get.ts";
import { local, SAMPLE_TIMES } from "../test-support/golden.ts";
import type { MessageLimits, MessageStart } from "./message-page.ts";
import { DATA_SHOWN_MAX } from "./messagesz.ts";

const LOCAL: GetOptions = { asker: { isLocal: true } };

interface Read {
  readonly start: MessageStart;
  readonly limits: MessageLimits;
}

/** A source with a channel `foo` that holds three messages, and what was read of it. */
function sourceWith(data: Uint8Array = Buffer.from('{"a":1}')): { source: FakeSource; reads: Read[] } {
  const source = new FakeSource();
  const reads: Read[] = [];
  source.channels.set("foo", {
    ...fakeChannel("foo"),
    readMessages: async (start, limits) => {
      reads.push({ start, limits });
      const timestamp = nanosOf(SAMPLE_TIMES.storez);
      return {
        firstSequence: 1,
        lastSequence: 3,
        messages: [
          { sequence: 1, timestamp, reply: "", data },
          { sequence: 3, timestamp, reply: "answers", data: new Uint8Array(0) },
        ],
        next: 4,
      };
    },
  });
  return { source, reads };
}

const ask = (source: FakeSource, query: string, options: GetOptions = LOCAL): Promise<Answer> =>
  get(source, `/streaming/messagesz?${query}`, options);

describe("/streaming/messagesz", () => {
  it("shows messages with their data in base64 and where the next page begins", async () => {
    const { source } = sourceWith();
    const { status, contentType, body } = await ask(source, "channel=foo");
    expect({ status, contentType }).toEqual({ status: 200, contentType: "application/json" });
    const { now: _, ...rest } = JSON.parse(body);
    const time = local(SAMPLE_TIMES.storez);
    expect(rest).toEqual({
      cluster_id: "test-cluster",
      server_id: "KUHrGoxQSpXTZBqqMAPA3v",
      channel: "foo",
      first_seq: 1,
      last_seq: 3,
      count: 2,
      next: 4,
      messages: [
        { seq: 1, time, size: 7, data: Buffer.from('{"a":1}').toString("base64") },
        { seq: 3, time, size: 0, reply: "answers", data: "" },
      ],
    });
  });

  it.each([
    ["", { kind: "sequence", sequence: 1 }, 25],
    ["&from=17&count=3", { kind: "sequence", sequence: 17 }, 3],
    ["&count=256", { kind: "sequence", sequence: 1 }, 256],
    ["&last=10&from=5", { kind: "last", count: 10 }, 10],
    ["&time=2026-11-22T13:57:50.64Z", { kind: "time", timestamp: nanosOf("2026-11-22T13:57:50.64Z") }, 25],
  ])("reads from where %s says", async (query, start, count) => {
    const { source, reads } = sourceWith();
    expect((await ask(source, `channel=foo${query}`)).status).toBe(200);
    expect(reads).toEqual([{ start, limits: { count, bytes: 4_194_304 } }]);
  });

  it.each([
    ["", "Name the channel whose messages to show: messagesz?channel=foo"],
    ["channel=foo&count=0", "Invalid count: use a number from 1 to 256"],
    ["channel=foo&count=257", "Invalid count: use a number from 1 to 256"],
    ["channel=foo&last=x", "Invalid last: use a number from 1 to 256"],
    ["channel=foo&from=-1", "Invalid from: use the sequence of a message, such as from=1"],
    ["channel=foo&from=9999999999999999", "Invalid from: use the sequence of a message, such as from=1"],
    ["channel=foo&time=yesterday", "Invalid time: use RFC 3339, such as time=2026-11-22T13:57:50Z"],
    ["channel=foo&time=2026-99-99", "Invalid time: use RFC 3339, such as time=2026-11-22T13:57:50Z"],
  ])("answers ?%s with 400 and the remedy", async (query, text) => {
    expect(await ask(sourceWith().source, query)).toMatchObject({ status: 400, body: `${text}\n` });
  });

  it("answers 404 for an unknown channel", async () => {
    expect(await ask(new FakeSource(), "channel=nope")).toMatchObject({
      status: 404,
      body: "Channel nope not found\n",
    });
  });

  it("names the channel that cannot be read", async () => {
    const source = new FakeSource();
    source.channels.set("foo", {
      ...fakeChannel("foo"),
      readMessages: () => Promise.reject(new Error("input/output error")),
    });
    await expect(ask(source, "channel=foo")).rejects.toMatchObject({
      code: "source_failed",
      message: 'Error reading messages of channel "foo": input/output error',
    });
  });

  it("cuts large data off and says so, unless all of it is asked for", async () => {
    const { source } = sourceWith(new Uint8Array(DATA_SHOWN_MAX + 1));
    const cut = JSON.parse((await ask(source, "channel=foo")).body).messages[0];
    expect(cut).toMatchObject({ size: DATA_SHOWN_MAX + 1, truncated: true });
    expect(Buffer.from(cut.data, "base64")).toHaveLength(DATA_SHOWN_MAX);
    const whole = JSON.parse((await ask(source, "channel=foo&full=1")).body).messages[0];
    expect(whole).not.toHaveProperty("truncated");
    expect(Buffer.from(whole.data, "base64")).toHaveLength(DATA_SHOWN_MAX + 1);
  });

  it.each([
    ["a stranger", "careful", {}, 403],
    ["this machine", "careful", { isLocal: true }, 200],
    ["somebody with the password", "careful", { isTrusted: true }, 200],
    ["a stranger", "everybody", {}, 200],
    ["this machine", "nobody", { isLocal: true }, 403],
    ["somebody with the password", "nobody", { isTrusted: true }, 403],
  ] as const)("answers %s under %s as configured", async (_, messages, asker, status) => {
    const { source, reads } = sourceWith();
    const answer = await ask(source, "channel=foo", { messages, asker });
    expect(answer.status).toBe(status);
    expect(reads).toHaveLength(status === 200 ? 1 : 0);
  });

  it("is no script, whatever callback says: any page could read that", async () => {
    const { body, contentType } = await ask(sourceWith().source, "channel=foo&callback=steal");
    expect(contentType).toBe("application/json");
    expect(body.startsWith("{")).toBe(true);
  });
});
