import { durationFromMillis } from "@nats-streaming/kernel";
import { defaultStoreLimits, StoreError } from "@nats-streaming/store";
import { describe, expect, it } from "vitest";
import { append, newPlace } from "../test-support/place.ts";
import { defaultFileStoreOptions, type FileStoreOptions, fileStoreOptions } from "./options.ts";

const refusal = (work: () => unknown): string => {
  try {
    work();
    return "taken";
  } catch (error) {
    return error instanceof StoreError ? `${error.code}: ${error.message}` : String(error);
  }
};

describe("options", () => {
  it("FS-G5 have the original's defaults, one by one or all at once", () => {
    expect(fileStoreOptions({})).toEqual(defaultFileStoreOptions);
    expect(fileStoreOptions({ sync: false })).toEqual({ ...defaultFileStoreOptions, sync: false });
    expect(fileStoreOptions({ ...defaultFileStoreOptions, crc: false }).crc).toBe(false);
    expect(defaultFileStoreOptions.crcPolynomial).toBe(0xedb8_8320);
  });

  it.each<[Partial<FileStoreOptions>, string]>([
    [{ bufferBytes: -1 }, "buffer size value must be a positive number"],
    [{ readBufferBytes: -1 }, "read buffer size value must be a positive number"],
    [{ compactIntervalSeconds: 0 }, "compact interval value must at least be 1 seconds"],
    [{ compactFragmentationPercent: 0 }, "compact fragmentation value must at least be 1"],
    [{ compactMinBytes: -1 }, "compact minimum file size value must be a positive number"],
    [{ crcPolynomial: 0 }, "crc polynomial should be between 1 and 4294967295"],
    [{ crcPolynomial: 2 ** 32 }, "crc polynomial should be between 1 and 4294967295"],
    [{ sliceMaxMessages: -1 }, "slice max values must be positive numbers"],
    [{ sliceMaxBytes: -1 }, "slice max values must be positive numbers"],
    [{ sliceMaxAge: durationFromMillis(-1) }, "slice max values must be positive numbers"],
    [{ fileDescriptorsLimit: -1 }, "file descriptor limit must be a positive number"],
    [{ parallelRecovery: 0 }, "parallel recovery value must be at least 1"],
  ])("FS-G5 are refused when they make no sense, case %#", (options, text) => {
    expect(refusal(() => newPlace().make({ options }))).toBe(`invalid_options: ${text}`);
  });

  it("FS-G5 take effect: another polynomial is another checksum", async () => {
    const place = newPlace({ options: { crcPolynomial: 0x82f6_3b78 } });
    const { store, channel } = await place.open();
    append(place, channel("foo").messages, "m");
    await store.close();
    const other = place.make({ options: { crcPolynomial: defaultFileStoreOptions.crcPolynomial } });
    await expect(other.recover()).rejects.toThrow("corrupted data, expected crc to be");
    const same = await place.open();
    expect(same.state?.channels.get("foo")?.messages.count).toBe(1);
  });
});

describe("createFileStore()", () => {
  it("FS-G2 needs a root directory", () => {
    expect(refusal(() => newPlace().make({ directory: "" }))).toBe(
      "invalid_options: for FILE stores, root directory must be specified",
    );
  });

  it("FS-G2 says so when the root directory cannot be made", () => {
    const place = newPlace();
    place.disk.inject({ operation: "make_directory", kind: "permission" });
    expect(refusal(() => place.make())).toBe(
      "write_failed: unable to create the root directory [/data]: mkdir /data: permission denied",
    );
  });

  it("FS-G3 has the default limits when none are given", () => {
    expect(newPlace().make().limits).toEqual(defaultStoreLimits);
  });

  it("FS-G16 refuses a negative limit", () => {
    expect(refusal(() => newPlace().make({ limits: { maxMessages: -1 } }))).toBe(
      "invalid_limits: max messages limit cannot be negative (-1)",
    );
  });

  it("FS-G21 refuses to cut files off at two starts in a row, and takes it again after one without", async () => {
    const place = newPlace();
    const truncating = { options: { truncateUnexpectedEof: true } };
    const text =
      "invalid_options: file store should not be opened consecutively with the TruncateUnexpectedEOF option set to true";
    place.make(truncating);
    expect(refusal(() => place.make(truncating))).toBe(text);
    expect(refusal(() => place.make(truncating))).toBe(text);
    place.make();
    expect(place.size(".truncate.lck")).toBeUndefined();
    place.make(truncating);
    expect(place.size(".truncate.lck")).toBe(0);
  });
});
