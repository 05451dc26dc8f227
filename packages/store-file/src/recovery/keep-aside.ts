import type { FileSystem, OpenFile } from "@nats-streaming/kernel";
import { directoryOf, nameOf } from "../files/paths.ts";

const CHUNK = 1024 * 1024;

/**
 * Copies a damaged file beside itself, under a name that neither this store nor the original takes for one of its own.
 * @returns the copy's path
 * @throws FileError
 */
export function keepAside(fileSystem: FileSystem, path: string): string {
  const copy = unusedPath(fileSystem, path);
  const source = fileSystem.openNow(path, { mode: "read" });
  try {
    const target = fileSystem.openNow(copy, { mode: "create" });
    try {
      copyAll(source, target);
    } finally {
      target.close();
    }
  } finally {
    source.close();
  }
  return copy;
}

/** Gives a damaged file such a name. @returns it */
export function moveAside(fileSystem: FileSystem, path: string): string {
  const target = unusedPath(fileSystem, path);
  fileSystem.renameNow(path, target);
  return target;
}

function unusedPath(fileSystem: FileSystem, path: string): string {
  for (let number = 1; ; number++) {
    const candidate = `${directoryOf(path)}/damaged-${number}-${nameOf(path)}`;
    if (fileSystem.statNow(candidate) === undefined) return candidate;
  }
}

function copyAll(source: OpenFile, target: OpenFile): void {
  const size = source.sizeNow();
  const chunk = new Uint8Array(Math.min(CHUNK, Math.max(size, 1)));
  for (let at = 0; at < size; ) {
    const length = source.readNow(chunk, 0, Math.min(chunk.length, size - at), at);
    if (length === 0) return;
    target.writeNow(chunk, 0, length, at);
    at += length;
  }
}
