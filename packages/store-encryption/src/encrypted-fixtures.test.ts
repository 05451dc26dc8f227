import { seededRandom } from "@nats-streaming/kernel/testing";
import { describeFixtures } from "../../store-file/test-support/describe-fixtures.ts";
import { fixtureNames } from "../../store-file/test-support/fixtures.ts";
import { encryptStore } from "./encrypt-store.ts";

// Directories of the original, through this package over the file store: right and wrong keys, the other cipher, none.
describeFixtures(
  fixtureNames().filter((name) => name.startsWith("encrypted-")),
  761,
  (store, { encryption }) => {
    if (encryption === undefined) return store;
    const key = new Uint8Array(Buffer.from(encryption.key));
    return encryptStore(store, { cipher: encryption.cipher, key, random: seededRandom(1) });
  },
);
