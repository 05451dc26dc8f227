import type { Random } from "@nats-streaming/kernel";
import type { InjectedFault, SimulatedDisk, SimulatedFault } from "@nats-streaming/kernel/testing";
import type { CommitLog } from "../src/commit-log/commit-log.ts";
import { scanSegments, surveySegments } from "../src/commit-log/log-scan.ts";
import { type EntryVisitor, eachEntry } from "../src/commit-log/replay-entries.ts";
import { SEGMENT_HEADER_BYTES } from "../src/commit-log/segment-format.ts";
import { isSliceName } from "../src/files/names.ts";
import { nameOf } from "../src/files/paths.ts";

export const ROOT = "/data";

/** Faults of a disk, by the share of sessions that have one. */
const FAULTS: readonly (readonly [number, SimulatedFault["operation"], SimulatedFault["kind"]])[] = [
  [0.16, "write", "no_space"],
  [0.26, "write", "io"],
  [0.31, "sync", "io"],
  [0.33, "sync_directory", "io"],
  [0.43, "read", "short_read"],
  [0.46, "truncate", "io"],
  [0.48, "rename", "io"],
  [0.5, "remove", "io"],
  [0.52, "open", "io"],
];

/** Up to two faults that hit some operation of the next session, or none. */
export function injectFaults(random: Random, disk: SimulatedDisk): readonly InjectedFault[] {
  const upTo = (limit: number): number => Math.floor(random.next() * limit);
  return [random.next(), random.next()].flatMap((chance) => {
    const found = FAULTS.find(([share]) => chance < share);
    if (found === undefined) return [];
    const [, operation, kind] = found;
    return [disk.inject({ operation, kind, skip: upTo(operation === "sync" ? 40 : 25), times: 1 + upTo(3) })];
  });
}

/**
 * Turns a bit of the commit log behind everything that was acknowledged.
 * @param log of the session that has ended
 */
export function flipUnacknowledged(random: Random, disk: SimulatedDisk, log: CommitLog): void {
  const durable: number = log.position();
  for (const { path, size, header } of surveySegments(disk, ROOT).segments) {
    if (header === undefined || header.address + size <= durable) continue;
    const from = Math.max(0, durable - header.address) + SEGMENT_HEADER_BYTES;
    if (from >= size) continue;
    disk.flipBit(path, from + Math.floor(random.next() * Math.min(2048, size - from)), Math.floor(random.next() * 8));
  }
}

/** Turns a bit of a message that the commit log holds, in the file where it belongs: nobody has synced that yet. */
export async function flipUnsynced(random: Random, disk: SimulatedDisk): Promise<void> {
  const survey = surveySegments(disk, ROOT);
  const found: { readonly file: string; readonly position: number; readonly length: number }[] = [];
  const gone = new Set<string>();
  const visitor: EntryVisitor = {
    isRead: (frame) => frame.address >= survey.lowWater,
    append: (file, position, _sequence, _bytes, start, end) => {
      if (isSliceName(nameOf(`/${file}`))) found.push({ file, position, length: end - start });
    },
    removedFile: (file) => gone.add(file),
    removedDirectory: (directory) => gone.add(directory),
    replaced: () => {},
    refused: () => {},
    unknown: () => {},
  };
  await eachEntry(disk, await scanSegments(disk, survey), visitor);
  const entries = found.filter(({ file }) => !gone.has(file) && !gone.has(file.slice(0, file.indexOf("/"))));
  const entry = entries[Math.floor(random.next() * entries.length)];
  if (entry === undefined) return;
  const path = `${ROOT}/${entry.file}`;
  const size = disk.statNow(path)?.size ?? 0;
  const at = entry.position + Math.floor(random.next() * entry.length);
  if (at < size) disk.flipBit(path, at, Math.floor(random.next() * 8));
}
