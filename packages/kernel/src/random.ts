import { randomFillSync } from "node:crypto";

/** Randomness as the packages see it; tests use a seeded one (`@nats-streaming/kernel/testing`). */
export interface Random {
  /** A number from 0 (included) to 1 (excluded). */
  next(): number;
  /** Fills `target` with random bytes, unguessable where it is the machine's source. */
  fill(target: Uint8Array): void;
}

/** The machine's own source, fit for secrets. */
export function systemRandom(): Random {
  const pool = new Uint8Array(6);
  return {
    next(): number {
      randomFillSync(pool);
      let value = 0;
      for (const byte of pool) value = value * 256 + byte;
      return value / 2 ** 48;
    },
    fill: (target: Uint8Array): void => {
      randomFillSync(target);
    },
  };
}
