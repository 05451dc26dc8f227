import { expect, it } from "vitest";
import { storeError, storeErrorTexts } from "./errors.ts";

it("has the exact texts that clients see", () => {
  expect(storeErrorTexts).toEqual({
    too_many_channels: "too many channels",
    too_many_subscriptions: "too many subscriptions per channel",
    not_supported: "not supported",
    already_exists: "already exists",
    not_found: "not found",
    no_server_info: "no server state recovered but channels present",
    closed: "store is closed",
  });
});

it("makes an error with code, text and cause", () => {
  const cause = new Error("why");
  expect(storeError("not_found", { cause })).toMatchObject({ code: "not_found", message: "not found", cause });
});
