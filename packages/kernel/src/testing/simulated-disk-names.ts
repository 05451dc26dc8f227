import type { Random } from "../random.ts";
import { SimulatedContent } from "./simulated-disk-content.ts";

export interface SimulatedFile {
  readonly kind: "file";
  readonly content: SimulatedContent;
  /** How many times it is open. */
  handles: number;
  /** Whether a name leads to it. */
  isLinked: boolean;
  modifiedMillis: number;
}

export interface SimulatedDirectory {
  readonly kind: "directory";
  entries: Map<string, SimulatedNode>;
  /** The names that a power loss leaves in any case. */
  readonly durable: Map<string, SimulatedNode>;
  modifiedMillis: number;
}

export type SimulatedNode = SimulatedFile | SimulatedDirectory;

/** Names that change together: a rename is both its names or neither. Undefined removes the name. */
type NameChange = readonly {
  readonly directory: SimulatedDirectory;
  readonly name: string;
  readonly node: SimulatedNode | undefined;
}[];

/** The names of a simulated disk, as its users see them, with what a power loss would leave of them. */
export class SimulatedNames {
  readonly root: SimulatedDirectory = newDirectory(0);
  /** Not yet synced, oldest first. */
  #changes: NameChange[] = [];

  change(change: NameChange): void {
    for (const { directory, name, node } of change) {
      if (node === undefined) directory.entries.delete(name);
      else directory.entries.set(name, node);
    }
    this.#changes.push(change);
  }

  /** @returns what a sync that begins now will cover; to be handed to {@link endSync} */
  beginSync(directory: SimulatedDirectory): readonly unknown[] {
    const directories = new Set([directory]);
    const covered: NameChange[] = [];
    for (const change of this.#changes.toReversed()) {
      // A change of two directories, once written, drags along what came before it in both.
      if (!change.some((one) => directories.has(one.directory))) continue;
      covered.push(change);
      for (const one of change) directories.add(one.directory);
    }
    return covered;
  }

  endSync(covered: readonly unknown[]): void {
    const done = new Set(covered);
    this.#makeDurable(this.#changes.filter((change) => done.has(change)));
    this.#changes = this.#changes.filter((change) => !done.has(change));
  }

  /** Leaves what a power loss might leave, names and contents, as `random` will have it. */
  powerLoss(random: Random): void {
    const manner = random.next();
    const cut = Math.floor(random.next() * (this.#changes.length + 1));
    if (manner < 0.4) this.#makeDurable(this.#changes);
    else if (manner < 0.7) this.#makeDurable(this.#changes.slice(0, cut));
    else if (manner < 0.9) this.#makeDurable(this.#changes.filter(() => random.next() < 0.5));
    this.#changes = [];
    restore(this.root, random);
  }

  #makeDurable(changes: readonly NameChange[]): void {
    for (const change of changes) {
      for (const { directory, name, node } of change) {
        if (node === undefined) directory.durable.delete(name);
        else directory.durable.set(name, node);
      }
    }
  }
}

export function newFile(modifiedMillis: number): SimulatedFile {
  return { kind: "file", content: new SimulatedContent(), handles: 0, isLinked: true, modifiedMillis };
}

export function newDirectory(modifiedMillis: number): SimulatedDirectory {
  return { kind: "directory", entries: new Map(), durable: new Map(), modifiedMillis };
}

/** Calls back for every file below a directory, with its path. */
export function walkFiles(
  directory: SimulatedDirectory,
  path: string,
  visit: (file: SimulatedFile, path: string) => void,
): void {
  for (const [name, node] of directory.entries) {
    if (node.kind === "file") visit(node, `${path}/${name}`);
    else walkFiles(node, `${path}/${name}`, visit);
  }
}

function restore(directory: SimulatedDirectory, random: Random): void {
  directory.entries = new Map(directory.durable);
  for (const node of directory.entries.values()) {
    if (node.kind === "directory") {
      restore(node, random);
      continue;
    }
    node.isLinked = true;
    node.content.powerLoss(random);
  }
}
