export { describeStore } from "./describe-store.ts";
export type { StoreCapabilities, StoreFaults, StoreSetup, StoreUnderTest } from "./store-under-test.ts";
