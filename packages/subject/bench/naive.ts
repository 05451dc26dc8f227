/*
 * What one would write first. The benches stand beside it, and the property tests take it for the truth.
 */

/** Matching by the letter of the rule: split, compare token by token. */
export function naiveMatches(pattern: string, subject: string): boolean {
  const want = pattern.split(".");
  const have = subject.split(".");
  if (have.includes("") || want.includes("") || want.slice(0, -1).includes(">")) return false;
  for (const [i, token] of want.entries()) {
    if (token === ">") return i < have.length;
    if (i >= have.length || (token !== "*" && token !== have[i])) return false;
  }
  return want.length === have.length;
}

/** Overlap token by token on split patterns, which must be valid. */
export function naiveOverlaps(a: string, b: string): boolean {
  const left = a.split(".");
  const right = b.split(".");
  for (let i = 0; i < left.length && i < right.length; i++) {
    const x = left[i]!;
    const y = right[i]!;
    if (x === ">" || y === ">") return true;
    if (x !== "*" && y !== "*" && x !== y) return false;
  }
  return left.length === right.length;
}

/** A tree of Maps, a few lines long: no cache, arrays of values at the nodes, recursion, split. */
export class NaiveTree<V> {
  readonly #root: NaiveNode<V> = { children: new Map(), values: [] };

  insert(pattern: string, value: V): void {
    let node = this.#root;
    for (const token of pattern.split(".")) {
      let child = node.children.get(token);
      if (child === undefined) {
        child = { children: new Map(), values: [] };
        node.children.set(token, child);
      }
      node = child;
    }
    node.values.push(value);
  }

  remove(pattern: string, value: V): boolean {
    const path: { readonly node: NaiveNode<V>; readonly token: string }[] = [];
    let node = this.#root;
    for (const token of pattern.split(".")) {
      const child = node.children.get(token);
      if (child === undefined) return false;
      path.push({ node, token });
      node = child;
    }
    const place = node.values.indexOf(value);
    if (place < 0) return false;
    node.values.splice(place, 1);
    for (const step of path.reverse()) {
      const child = step.node.children.get(step.token)!;
      if (child.values.length > 0 || child.children.size > 0) break;
      step.node.children.delete(step.token);
    }
    return true;
  }

  match(subject: string): V[] {
    const found: V[] = [];
    walk(this.#root, subject.split("."), 0, found);
    return found;
  }
}

interface NaiveNode<V> {
  readonly children: Map<string, NaiveNode<V>>;
  readonly values: V[];
}

function walk<V>(node: NaiveNode<V>, tokens: readonly string[], level: number, found: V[]): void {
  if (level === tokens.length) {
    found.push(...node.values);
    return;
  }
  found.push(...(node.children.get(">")?.values ?? []));
  const star = node.children.get("*");
  if (star !== undefined) walk(star, tokens, level + 1, found);
  const literal = node.children.get(tokens[level]!);
  if (literal !== undefined) walk(literal, tokens, level + 1, found);
}
