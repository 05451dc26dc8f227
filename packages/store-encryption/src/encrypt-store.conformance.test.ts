import { seededRandom } from "@nats-streaming/kernel/testing";
import { describeStore } from "@nats-streaming/store-conformance";
import { createMemoryStore } from "@nats-streaming/store-memory";
import { encryptStore } from "./encrypt-store.ts";

for (const cipher of ["AES", "CHACHA"]) {
  describeStore({
    name: `memory store, encrypted with ${cipher}`,
    open: async (setup) => {
      const key = new Uint8Array(Buffer.from("conformance"));
      return encryptStore(createMemoryStore(setup), { cipher, key, random: seededRandom(1) });
    },
    capabilities: {
      kind: "MEMORY",
      recoverable: false,
      exclusiveLock: false,
      bytesPerMessageOverhead: 0,
      encrypted: true,
      subscriptionIdSpace: "channel",
      gaps: "kept",
      ageGranularityMillis: 0,
      timestampTies: "last",
    },
  });
}
