import { describe, expect, it } from "vitest";
import { createGuard } from "./guard.ts";

const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

describe("createGuard()", () => {
  it("admits a token as bearer, and as the password of any user", () => {
    const admits = createGuard({ kind: "token", token: "s3cr3t" });
    expect(admits("Bearer s3cr3t")).toBe(true);
    expect(admits("bearer s3cr3t")).toBe(true);
    expect(admits(basic("whoever:s3cr3t"))).toBe(true);
    expect(admits(basic(":s3cr3t"))).toBe(true);
  });

  it("admits a user with the password, which may hold colons and any character", () => {
    const admits = createGuard({ kind: "basic", user: "ops", password: "a:b ü" });
    expect(admits(basic("ops:a:b ü"))).toBe(true);
    expect(admits(basic("dev:a:b ü"))).toBe(false);
    expect(admits("Bearer a:b")).toBe(false);
  });

  it.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "Bearer s3cr3",
    "Bearer s3cr3tt",
    "Bearer S3CR3T",
    "Token s3cr3t",
    "s3cr3t",
    basic("s3cr3t"),
    basic("s3cr3t:"),
    "Basic ????",
    `Bearer ${"x".repeat(10_000)}`,
  ])("does not admit %j", (authorization) => {
    expect(createGuard({ kind: "token", token: "s3cr3t" })(authorization)).toBe(false);
  });
});
