import { describe, expect, it } from "vitest";
import { ChunkPool, LARGE_CHUNK_BYTES, SMALL_CHUNK_BYTES } from "./chunk-pool.ts";

describe("ChunkPool", () => {
  it("gives chunks of both sizes out again, empty", () => {
    const pool = new ChunkPool();
    const [large, small] = [pool.takeLarge(), pool.takeSmall()];
    expect([large.bytes.length, small.bytes.length]).toEqual([LARGE_CHUNK_BYTES, SMALL_CHUNK_BYTES]);
    large.length = 10;
    pool.give(large);
    pool.give(small);
    expect(pool.takeLarge()).toBe(large);
    expect(large.length).toBe(0);
    expect(pool.takeSmall()).toBe(small);
  });

  it("shows the same memory three ways", () => {
    const { bytes, view, buffer } = new ChunkPool().takeSmall();
    bytes[5] = 0x61;
    expect(view.getUint8(5)).toBe(0x61);
    expect(buffer[5]).toBe(0x61);
  });

  it("keeps no more free chunks than its bound", () => {
    const pool = new ChunkPool();
    const chunks = Array.from({ length: 300 }, () => pool.takeLarge());
    for (const chunk of chunks) pool.give(chunk);
    const known = new Set(chunks);
    let kept = 0;
    while (known.has(pool.takeLarge())) kept++;
    expect(kept).toBe(256);
  });
});
