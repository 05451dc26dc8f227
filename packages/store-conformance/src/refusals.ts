import { StoreError, type StoreErrorCode } from "@nats-streaming/store";
import { expect } from "vitest";

/** Checks that `action` throws or rejects with a StoreError of that code, and with that text where it is fixed. */
export async function expectRefused(action: () => unknown, code: StoreErrorCode, text?: string): Promise<void> {
  let caught: unknown;
  try {
    await action();
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(StoreError);
  expect(caught).toMatchObject(text === undefined ? { code } : { code, message: text });
}
