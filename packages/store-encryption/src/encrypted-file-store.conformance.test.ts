import { seededRandom } from "@nats-streaming/kernel/testing";
import type { Store } from "@nats-streaming/store";
import { describeStore } from "@nats-streaming/store-conformance";
import { fileStoreUnderTest } from "../../store-file/test-support/file-store-under-test.ts";
import { encryptStore } from "./encrypt-store.ts";

let opened = 0;

/** As the options of row S1 ask for it: encryption over a store that keeps what it is given. */
function encrypted(cipher: string): (store: Store) => Store {
  return (store) => {
    const key = new Uint8Array(Buffer.from("conformance"));
    // No two starts may have the same nonces.
    return encryptStore(store, { cipher, key, random: seededRandom(++opened) });
  };
}

describeStore(fileStoreUnderTest("file store, encrypted with AES", {}, {}, encrypted("AES")));
describeStore(
  fileStoreUnderTest(
    "file store without cache, encrypted with CHACHA",
    { readBufferBytes: 0 },
    { cacheBytes: 0 },
    encrypted("CHACHA"),
  ),
);
