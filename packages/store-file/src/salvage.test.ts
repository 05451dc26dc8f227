import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openAndClose } from "../test-support/fixture-run.ts";
import { alter, copyOfFixture, listFiles, readFixture } from "../test-support/fixtures.ts";

const matrix = readFixture("corruption-matrix");

/** Which damages a channel does not survive in quarantine: what is left are bad checksums, types, payloads and names. */
const QUARANTINED = new Set([
  "subs-version-2",
  "subs-crc",
  "subs-crc-first-record",
  "subs-unknown-type",
  "subs-bad-protobuf",
  "dat-crc-middle-without-idx",
  "dat-crc-middle-without-idx-truncate-flag",
  "dat-crc-last",
  "dat-version-2",
  "dat-size-field-huge",
  "name-not-a-number",
  "name-msgs.dat",
]);

/** Sequences of channel foo that no recovery can give back. */
const LOST: Readonly<Record<string, readonly number[]>> = {
  "dat-crc-middle-with-idx": [4],
  "dat-crc-middle-with-idx-no-read-buffer": [4],
  "dat-crc-middle-without-idx": [4],
  "dat-crc-middle-without-idx-truncate-flag": [4],
  "dat-crc-middle-without-idx-crc-off": [4],
  "dat-crc-last": [8],
  "dat-crc-last-crc-off": [8],
  "dat-truncated-payload": [8],
  "dat-truncated-payload-truncate-flag": [8],
  "dat-truncated-header": [8],
  "dat-truncated-header-truncate-flag": [8],
  "dat-header-without-payload": [8],
  "dat-last-record-missing": [8],
  "dat-size-field-huge": [8],
  "idx-version-only-and-dat-truncated": [8],
  "idx-version-only-and-dat-truncated-truncate-flag": [8],
  "idx-deleted-and-dat-truncated-truncate-flag": [8],
  "dat-empty-file": [1, 2, 3, 4, 5, 6, 7, 8],
  "dat-version-only": [1, 2, 3, 4, 5, 6, 7, 8],
  "dat-deleted": [1, 2, 3, 4, 5, 6, 7, 8],
};

it("are 96 damages", () => {
  expect(matrix.alterations?.length).toBe(96);
});

for (const alteration of matrix.alterations ?? []) {
  const { id } = alteration;

  describe(`damage ${id}`, () => {
    it("does not keep a server in quarantine mode from starting", async () => {
      const copy = copyOfFixture("corruption-matrix");
      onTestFinished(copy.remove);
      alter(copy.directory, alteration.ops);
      const before = listFiles(copy.directory);
      const outcome = await openAndClose(copy.directory, alteration.open_options, "quarantine");
      expect([outcome.openError, outcome.recoverError]).toEqual([undefined, undefined]);
      expect(outcome.store!.quarantined.map(({ channel }) => channel)).toEqual(QUARANTINED.has(id) ? ["foo"] : []);
      expect(outcome.state!.channels.has("bar")).toBe(true);
      if (!QUARANTINED.has(id)) return;
      const after = listFiles(copy.directory);
      for (const [path, file] of before)
        if (path.startsWith("foo/")) expect([path, after.get(path)]).toEqual([path, file]);
      expect([...after.keys()].filter((path) => path.startsWith("foo/"))).toEqual(
        [...before.keys()].filter((path) => path.startsWith("foo/")),
      );
    });

    it("leaves every readable message to salvage, and a directory that strict recovery opens", async () => {
      const copy = copyOfFixture("corruption-matrix");
      onTestFinished(copy.remove);
      alter(copy.directory, alteration.ops);
      const outcome = await openAndClose(copy.directory, alteration.open_options, "salvage");
      expect([outcome.openError, outcome.recoverError]).toEqual([undefined, undefined]);
      expect(outcome.store!.quarantined).toEqual([]);
      const found = outcome.messages.get("foo")!.filter(({ subject }) => subject === "foo");
      const lost = new Set(LOST[id] ?? []);
      const readable = [1, 2, 3, 4, 5, 6, 7, 8].filter((sequence) => !lost.has(sequence));
      expect(found.map(({ seq }) => seq)).toEqual(readable);

      const second = mkdtempSync(join(tmpdir(), "file-store-"));
      onTestFinished(() => rmSync(second, { recursive: true }));
      cpSync(copy.directory, second, { recursive: true });
      rmSync(join(second, ".truncate.lck"), { force: true });
      const { crc } = alteration.open_options;
      const again = await openAndClose(second, crc === undefined ? {} : { crc }, "strict");
      expect([again.recoverError, again.log]).toEqual([undefined, []]);
      expect(again.messages.get("foo")!.filter(({ subject }) => subject === "foo")).toEqual(found);
      expect(readdirSync(second).length).toBeGreaterThan(0);
    });
  });
}
