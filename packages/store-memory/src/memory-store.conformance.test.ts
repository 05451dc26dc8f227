import { describeStore } from "@nats-streaming/store-conformance";
import { createMemoryStore } from "./memory-store.ts";

describeStore({
  name: "memory store",
  open: async (setup) => createMemoryStore(setup),
  capabilities: {
    kind: "MEMORY",
    recoverable: false,
    exclusiveLock: false,
    bytesPerMessageOverhead: 0,
    encrypted: false,
    subscriptionIdSpace: "channel",
    gaps: "kept",
    ageGranularityMillis: 0,
    timestampTies: "last",
  },
});
