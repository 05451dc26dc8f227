/** What the bench uses of the npm package `qlobber`, the fastest tree of wildcard topics found there. */
export interface Qlobber {
  add(topic: string, value: unknown): unknown;
  remove(topic: string, value: unknown): unknown;
  match(topic: string): readonly unknown[];
  test(topic: string, value: unknown): boolean;
}

type QlobberClass = new (options: Readonly<Record<string, unknown>>) => Qlobber;

/** Undefined when the package is not installed. */
export async function loadQlobber(): Promise<(() => Qlobber) | undefined> {
  // A variable, so that neither compiler nor bundler asks for the package.
  const name: string = "qlobber";
  let loaded: unknown;
  try {
    loaded = await import(name);
  } catch {
    return undefined;
  }
  if (!hasQlobber(loaded)) return undefined;
  const Class = loaded.Qlobber;
  // Nearly our rules: its `>` also stands for no token at all.
  return () => new Class({ separator: ".", wildcard_one: "*", wildcard_some: ">" });
}

function hasQlobber(loaded: unknown): loaded is { readonly Qlobber: QlobberClass } {
  return typeof loaded === "object" && loaded !== null && "Qlobber" in loaded && typeof loaded.Qlobber === "function";
}
