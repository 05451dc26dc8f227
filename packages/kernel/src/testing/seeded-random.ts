import type { Random } from "../random.ts";

/** Randomness that is the same for the same seed (mulberry32). Not fit for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next32 = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = state;
    value = Math.imul(value ^ (value >>> 15), value | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return (value ^ (value >>> 14)) >>> 0;
  };
  return {
    next: () => next32() / 2 ** 32,
    fill(target: Uint8Array): void {
      for (let i = 0; i < target.length; i++) target[i] = next32() & 0xff;
    },
  };
}
