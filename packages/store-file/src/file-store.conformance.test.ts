import { describeStore } from "@nats-streaming/store-conformance";
import { fileStoreUnderTest } from "../test-support/file-store-under-test.ts";

describeStore(fileStoreUnderTest("file store", {}));
describeStore(fileStoreUnderTest("file store without write buffer", { bufferBytes: 0 }));
describeStore(
  fileStoreUnderTest("file store without read buffer and cache", { readBufferBytes: 0 }, { cacheBytes: 0 }),
);
describeStore(fileStoreUnderTest("file store with five descriptors", { fileDescriptorsLimit: 5 }));
describeStore(fileStoreUnderTest("file store with one descriptor", { fileDescriptorsLimit: 1 }));
describeStore(
  fileStoreUnderTest("file store with slices of seven messages", { sliceMaxMessages: 7, sliceMaxBytes: 0 }),
);
