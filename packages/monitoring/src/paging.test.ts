import { describe, expect, it } from "vitest";
import { pageRange, readPage } from "./paging.ts";

const INT64_MAX = 9_223_372_036_854_775_807n;

describe("readPage()", () => {
  it.each([
    ["", 0n, 1_024n],
    ["offset=-1", 0n, 1_024n],
    ["offset=1", 1n, 1_024n],
    ["offset=%2B7", 7n, 1_024n],
    ["offset=x&limit=y", 0n, 1_024n],
    ["offset=1.5&limit=2e3", 0n, 1_024n],
    ["limit=-1", 0n, 1_024n],
    ["limit=0", 0n, 1_024n],
    ["limit=1", 0n, 1n],
    ["offset=1&limit=2", 1n, 2n],
    ["offset=0000000000000000000000003", 3n, 1_024n],
    ["offset=9223372036854775807&limit=99999999999999999999", INT64_MAX, INT64_MAX],
    ["limit=-99999999999999999999", 0n, 1_024n],
    ["offset=3&offset=4", 3n, 1_024n],
  ])("reads %j as offset %i and limit %i", (query, offset, limit) => {
    expect(readPage(new URLSearchParams(query))).toEqual({ offset, limit });
  });
});

describe("pageRange()", () => {
  it.each([
    [0n, 1_024n, 5, 0, 5],
    [1n, 2n, 5, 1, 2],
    [4n, 2n, 5, 4, 1],
    [10n, 1_024n, 5, 5, 0],
    [INT64_MAX, INT64_MAX, 5, 5, 0],
    [2n, INT64_MAX, 5, 2, 3],
  ])("holds offset %i and limit %i to a list of %i", (offset, limit, total, from, size) => {
    expect(pageRange({ offset, limit }, total)).toEqual({ offset: from, limit: size });
  });
});
