import { StoreError, type StoreErrorCode } from "./store.ts";

/** The error codes whose texts are fixed: clients see them, and tools match them. */
export type FixedTextCode = Extract<
  StoreErrorCode,
  | "too_many_channels"
  | "too_many_subscriptions"
  | "not_supported"
  | "already_exists"
  | "not_found"
  | "no_server_info"
  | "closed"
>;

/**
 * The exact texts. `closed` is our own: the original leaves use after close undefined.
 * @see store-interface.md 2
 */
export const storeErrorTexts: Readonly<Record<FixedTextCode, string>> = {
  too_many_channels: "too many channels",
  too_many_subscriptions: "too many subscriptions per channel",
  not_supported: "not supported",
  already_exists: "already exists",
  not_found: "not found",
  no_server_info: "no server state recovered but channels present",
  closed: "store is closed",
};

/** A {@link StoreError} with the fixed text of its code. */
export function storeError(code: FixedTextCode, options?: ErrorOptions): StoreError {
  return new StoreError(code, storeErrorTexts[code], options);
}
