/** Thrown when something that cannot happen has happened: a bug of this program, never of its peers. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** States what must hold at this point. @throws InvariantError when it does not. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Closes an exhaustive `switch`: the compiler refuses the call while a variant is left. */
export function unreachable(value: never, what: string): never {
  throw new InvariantError(`${what}: ${JSON.stringify(value)}`);
}
