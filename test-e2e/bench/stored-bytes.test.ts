import { expect, it } from "vitest";
import { encodeFields } from "../harness/protobuf.ts";
import { storedBytes } from "./stored-bytes.ts";

it("stored bytes are the sum of the encoded messages, across the lengths of the sequence", () => {
  let sum = 0;
  for (let sequence = 120; sequence <= 16_400; sequence++) {
    sum += encodeFields([
      [1, sequence],
      [2, "channel"],
      [4, Buffer.alloc(128)],
      [5, 1_795_354_993_841_807_296n],
    ]).length;
  }
  expect(storedBytes("channel", 128, 120, 16_400)).toBe(sum);
});
