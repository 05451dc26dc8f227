import {
  addChild,
  compact,
  createNodeStore,
  findChild,
  isBare,
  isSparse,
  NODE_WORDS,
  type NodeStore,
  PARENT,
  ROOT,
  removeNode,
  TOKEN,
} from "./node-store.ts";
import { TokenTable, UNKNOWN_TOKEN } from "./token-table.ts";

/** Patterns as paths of a token tree: the tree, the texts of its tokens, and how deep it is. */
export class PatternIndex {
  readonly store: NodeStore;
  #tokens = new TokenTable();
  /** Number of nodes at each depth, from 1 on, without trailing zeros. */
  readonly #nodesAtLevel: number[] = [];

  constructor(seed: number) {
    this.store = createNodeStore(seed);
  }

  get tokens(): TokenTable {
    return this.#tokens;
  }

  /** Tokens of the longest pattern; 0 when there is none. */
  get levels(): number {
    return this.#nodesAtLevel.length;
  }

  /** The node of a valid pattern, made when it is not there. */
  place(pattern: string): number {
    const tokens = this.#tokens;
    const count = tokens.internPattern(pattern);
    let node = ROOT;
    for (let level = 0; level < count; level++) {
      const token = tokens.path[level]!;
      let child = findChild(this.store, node, token);
      if (child === 0) {
        child = addChild(this.store, node, token);
        if (token > 0) tokens.retain(token);
        if (level === this.#nodesAtLevel.length) this.#nodesAtLevel.push(0);
        this.#nodesAtLevel[level]!++;
      }
      node = child;
    }
    return node;
  }

  /** The node of `pattern`; 0 when there is none, -1 when the pattern is invalid. */
  find(pattern: string): number {
    const count = this.#tokens.readPattern(pattern);
    if (count === 0) return -1;
    let node = ROOT;
    for (let level = 0; level < count && node !== 0; level++) {
      const token = this.#tokens.path[level]!;
      node = token === UNKNOWN_TOKEN ? 0 : findChild(this.store, node, token);
    }
    return node;
  }

  /** Removes `node`, and then its parents, as far as they are bare. */
  prune(node: number): void {
    const { store } = this;
    let level = -1;
    for (let up = node; up !== ROOT; up = store.words[up + PARENT]!) level++;
    let at = node;
    while (at !== ROOT && isBare(store, at)) {
      const token = store.words[at + TOKEN]!;
      const parent = store.words[at + PARENT]!;
      removeNode(store, at);
      if (token > 0) this.#tokens.release(token);
      this.#nodesAtLevel[level]!--;
      at = parent;
      level--;
    }
    while (this.#nodesAtLevel.at(-1) === 0) this.#nodesAtLevel.pop();
  }

  /** The pattern of a node. */
  patternOf(node: number): string {
    let pattern = "";
    for (let at = node; at !== ROOT; at = this.store.words[at + PARENT]!) {
      const token = this.#tokens.name(this.store.words[at + TOKEN]!);
      pattern = pattern === "" ? token : `${token}.${pattern}`;
    }
    return pattern;
  }

  get isSparse(): boolean {
    return isSparse(this.store);
  }

  /** Gives unused room back; nodes and tokens are numbered anew. */
  compact(): void {
    const { words, top } = this.store;
    const tokens = new TokenTable();
    for (let node = ROOT; node < top; node += NODE_WORDS) {
      const token = words[node + TOKEN]!;
      if (token <= 0) continue;
      const moved = tokens.intern(this.#tokens.name(token));
      tokens.retain(moved);
      words[node + TOKEN] = moved;
    }
    this.#tokens = tokens;
    compact(this.store);
  }
}
