import type { DirectoryEntry, FileStat, FileSystem, OpenFile, OpenOptions } from "../file-system.ts";
import { seededRandom } from "./seeded-random.ts";
import { SIMULATED_PAGE_BYTES } from "./simulated-disk-content.ts";
import {
  type InjectedFault,
  type SimulatedFault,
  type SimulatedOperation,
  simulatedError,
} from "./simulated-disk-faults.ts";
import { type SimulatedLatency, SimulatedMachine } from "./simulated-disk-machine.ts";
import {
  newDirectory,
  newFile,
  type SimulatedDirectory,
  type SimulatedFile,
  SimulatedNames,
  type SimulatedNode,
  walkFiles,
} from "./simulated-disk-names.ts";
import { SimulatedOpenFile } from "./simulated-disk-open-file.ts";
import { checkName, parts } from "./simulated-disk-paths.ts";

/** How a disk behaves. */
export interface SimulatedDiskOptions {
  /** Decides whatever chance decides. */
  readonly seed: number;
  /** Left out: asynchronous operations are done in the next microtask. */
  readonly latency?: SimulatedLatency;
}

/** How a machine can end. A killed process leaves the system's cache behind; a power loss does not. */
export type CrashKind = "kill" | "power";

/**
 * Files in memory that misbehave as real ones do, from a seed. Paths are absolute or taken below `/`.
 *
 * A power loss keeps what was synced, and of all else what chance will have: of each file any of the pages, sectors or bytes
 * of pages that were written since, in any order; any size between the old and the new one; of the changes of
 * names none, all, the first ones or any. A rename is both its names or neither. Syncing a file does not sync its name.
 */
export class SimulatedDisk implements FileSystem {
  readonly #options: SimulatedDiskOptions;
  readonly #machine: SimulatedMachine;
  readonly #names: SimulatedNames;

  constructor(options: SimulatedDiskOptions, names: SimulatedNames = new SimulatedNames()) {
    this.#options = options;
    this.#names = names;
    this.#machine = new SimulatedMachine(seededRandom(options.seed), options.latency);
    walkFiles(names.root, "", (file) => {
      file.handles = 0;
      this.#machine.pagesUsed += file.content.allocated;
    });
  }

  /** How many operations have begun so far. */
  get operations(): number {
    return this.#machine.operations;
  }

  /** Whether the machine has not stopped yet. */
  get isRunning(): boolean {
    return this.#machine.isRunning;
  }

  /** Settles when the machine has stopped: operations that were under way then never settle. */
  get stopped(): Promise<void> {
    return this.#machine.stopped;
  }

  /** Bytes that the files take, in whole pages; holes take none. */
  get usedBytes(): number {
    return this.#machine.pagesUsed * SIMULATED_PAGE_BYTES;
  }

  /** Sets how many bytes the files may take, in whole pages; undefined for as many as they like. */
  limitSpace(bytes: number | undefined): void {
    this.#machine.pagesMax = bytes === undefined ? Number.POSITIVE_INFINITY : Math.floor(bytes / SIMULATED_PAGE_BYTES);
  }

  inject(fault: SimulatedFault): InjectedFault {
    return this.#machine.faults.inject(fault);
  }

  /** Stops the machine at the `count`th operation from now (1 is the next one), which is left undone or half done. */
  stopAfter(count: number): void {
    this.#machine.stopAt = this.#machine.operations + count;
  }

  /**
   * Stops the machine, if it has not stopped yet, and starts it again.
   * @returns the disk as the next start sees it. This one and its open files are of no use any more.
   */
  crash(kind: CrashKind): SimulatedDisk {
    this.#machine.stop();
    const { random } = this.#machine;
    if (kind === "power") this.#names.powerLoss(random);
    return new SimulatedDisk({ ...this.#options, seed: Math.floor(random.next() * 2 ** 32) }, this.#names);
  }

  /** Turns one bit of a file for good. @throws FileError `not_found` */
  flipBit(path: string, position: number, bit: number): void {
    this.#file("open", path).content.flipBit(position, bit);
  }

  /** All files below a path with their contents, for tests to compare. */
  contents(path = "/"): Map<string, Uint8Array> {
    const found = new Map<string, Uint8Array>();
    const node = this.#find("list", path);
    if (node?.kind !== "directory") throw simulatedError("list", path, "not_a_directory");
    walkFiles(
      node,
      parts(path)
        .map((part) => `/${part}`)
        .join(""),
      (file, name) => {
        found.set(name, file.content.toBytes());
      },
    );
    return found;
  }

  openNow(path: string, options: OpenOptions): OpenFile {
    this.#begin("open", path);
    const { directory, name } = this.#parent("open", path);
    let node = directory.entries.get(name);
    if (node?.kind === "directory") throw simulatedError("open", path, "is_a_directory");
    if (node === undefined) {
      if (options.mode === "read") throw simulatedError("open", path, "not_found");
      node = newFile(this.#now());
      this.#change("open", path, [{ directory, name, node }]);
    } else if (options.mode === "create") throw simulatedError("open", path, "exists");
    return new SimulatedOpenFile({
      path,
      file: node,
      machine: this.#machine,
      canWrite: options.mode !== "read",
      now: () => this.#now(),
    });
  }

  statNow(path: string): FileStat | undefined {
    this.#begin("stat", path);
    const node = this.#find("stat", path);
    if (node === undefined) return undefined;
    const isDirectory = node.kind === "directory";
    return {
      size: isDirectory ? SIMULATED_PAGE_BYTES : node.content.size,
      isDirectory,
      modifiedMillis: node.modifiedMillis,
    };
  }

  listNow(directory: string): readonly DirectoryEntry[] {
    this.#begin("list", directory);
    return [...this.#directory("list", directory).entries]
      .map(([name, node]): DirectoryEntry => ({ name, isDirectory: node.kind === "directory" }))
      .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  }

  makeDirectoryNow(path: string): void {
    this.#begin("make_directory", path);
    let directory = this.#names.root;
    for (const name of parts(path)) {
      checkName("make_directory", path, name);
      let node = directory.entries.get(name);
      if (node?.kind === "file") throw simulatedError("make_directory", path, "exists");
      if (node === undefined) {
        node = newDirectory(this.#now());
        this.#change("make_directory", path, [{ directory, name, node }]);
      }
      directory = node;
    }
  }

  renameNow(source: string, target: string): void {
    this.#begin("rename", source);
    const from = this.#parent("rename", source);
    const to = this.#parent("rename", target);
    const node = from.directory.entries.get(from.name);
    if (node === undefined) throw simulatedError("rename", source, "not_found");
    const replaced = to.directory.entries.get(to.name);
    if (replaced === node) return;
    if (replaced?.kind === "directory") throw simulatedError("rename", source, "is_a_directory");
    if (replaced !== undefined && node.kind === "directory") throw simulatedError("rename", source, "not_a_directory");
    this.#change("rename", source, [
      { directory: from.directory, name: from.name, node: undefined },
      { directory: to.directory, name: to.name, node },
    ]);
    this.#unlinked(replaced);
  }

  removeNow(path: string): void {
    this.#begin("remove", path);
    const node = this.#find("remove", path);
    if (node === undefined) return;
    if (node.kind === "directory") throw simulatedError("remove", path, "is_a_directory");
    this.#change("remove", path, [{ ...this.#parent("remove", path), node: undefined }]);
    this.#unlinked(node);
  }

  removeDirectoryNow(path: string): void {
    this.#begin("remove", path);
    const node = this.#find("remove", path);
    if (node === undefined) return;
    if (node.kind === "file") throw simulatedError("remove", path, "not_a_directory");
    this.#clear(node, path);
    this.#change("remove", path, [{ ...this.#parent("remove", path), node: undefined }]);
  }

  syncDirectory(path: string): Promise<void> {
    let covered: readonly unknown[] = [];
    if (this.#machine.isRunning) covered = this.#names.beginSync(this.#directory("sync_directory", path));
    return this.#machine.later("sync_directory", path, () => {
      this.#machine.failIfFaulty("sync_directory", path);
      this.#names.endSync(covered);
    });
  }

  #clear(directory: SimulatedDirectory, path: string): void {
    for (const [name, node] of [...directory.entries]) {
      if (node.kind === "directory") this.#clear(node, `${path}/${name}`);
      this.#change("remove", path, [{ directory, name, node: undefined }]);
      this.#unlinked(node);
    }
  }

  #begin(operation: SimulatedOperation, path: string): void {
    this.#machine.count(operation, path);
    this.#machine.failIfFaulty(operation, path);
  }

  #change(operation: SimulatedOperation, path: string, change: Parameters<SimulatedNames["change"]>[0]): void {
    for (const { directory, name } of change) {
      checkName(operation, path, name);
      directory.modifiedMillis = this.#now();
    }
    this.#names.change(change);
  }

  #unlinked(node: SimulatedNode | undefined): void {
    if (node?.kind !== "file") return;
    node.isLinked = false;
    if (node.handles === 0) this.#machine.pagesUsed -= node.content.allocated;
  }

  /** A calendar in which every operation takes a millisecond, unless a clock was given. */
  #now(): number {
    const clock = this.#options.latency?.clock;
    if (clock === undefined) return 1_700_000_000_000 + this.#machine.operations;
    const stamp = { millis: 0, nanos: 0 };
    clock.read(stamp);
    return stamp.millis + stamp.nanos / 1_000_000;
  }

  #find(operation: SimulatedOperation, path: string): SimulatedNode | undefined {
    let node: SimulatedNode | undefined = this.#names.root;
    for (const name of parts(path)) {
      if (node === undefined) return undefined;
      if (node.kind === "file") throw simulatedError(operation, path, "not_a_directory");
      checkName(operation, path, name);
      node = node.entries.get(name);
    }
    return node;
  }

  #file(operation: SimulatedOperation, path: string): SimulatedFile {
    const node = this.#find(operation, path);
    if (node?.kind !== "file")
      throw simulatedError(operation, path, node === undefined ? "not_found" : "is_a_directory");
    return node;
  }

  #directory(operation: SimulatedOperation, path: string): SimulatedDirectory {
    const node = this.#find(operation, path);
    if (node?.kind !== "directory") {
      throw simulatedError(operation, path, node === undefined ? "not_found" : "not_a_directory");
    }
    return node;
  }

  #parent(operation: SimulatedOperation, path: string): { directory: SimulatedDirectory; name: string } {
    const all = parts(path);
    const name = all.pop();
    if (name === undefined) throw simulatedError(operation, path, "is_a_directory");
    checkName(operation, path, name);
    return { directory: this.#directory(operation, `/${all.join("/")}`), name };
  }
}
