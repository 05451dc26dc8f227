import { join } from "node:path";

/** A path below the root directory, as it stands in error texts: without `./` and double slashes. */
export function pathIn(root: string, ...names: readonly string[]): string {
  return join(root, ...names);
}

export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
