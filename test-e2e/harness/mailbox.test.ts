import { describe, expect, it } from "vitest";
import { createMailbox } from "./mailbox.ts";

describe("a mailbox", () => {
  it("hands out what came before it was awaited, in order", async () => {
    const mailbox = createMailbox<number>("numbers");
    mailbox.push(1);
    mailbox.push(2);
    expect(await mailbox.takeMany(2)).toEqual([1, 2]);
  });

  it("wakes whoever waits for a matching item and keeps the others", async () => {
    const mailbox = createMailbox<number>("numbers");
    const even = mailbox.take({ where: (n) => n % 2 === 0 });
    mailbox.push(1);
    mailbox.push(2);
    expect(await even).toBe(2);
    expect(mailbox.untaken).toEqual([1]);
  });

  it("fails at the deadline and says what came instead", async () => {
    const mailbox = createMailbox<string>("words");
    mailbox.push("hello");
    await expect(mailbox.take({ where: (word) => word === "bye", within: 1, what: "a farewell" })).rejects.toThrow(
      "words: waited for a farewell, but it did not come within 1 ms; 1 came, the last: hello",
    );
  });

  it("fails whoever waits when it closes", async () => {
    const mailbox = createMailbox<string>("words");
    const waiting = mailbox.take();
    mailbox.close("the line went dead");
    await expect(waiting).rejects.toThrow("but the line went dead");
    await expect(mailbox.take()).rejects.toThrow("but the line went dead");
  });
});
