import { describe, expect, it } from "vitest";
import { root } from "../prepare.mjs";
import { repositoryUrl, withRepository } from "./name-repository.mjs";
import { publishable } from "./publishable.mjs";

describe("naming the repository of a release", () => {
  it("takes the address from the workflow's environment, and says what is missing", () => {
    const env = { GITHUB_SERVER_URL: "https://forge.example", GITHUB_REPOSITORY: "team/stan" };
    expect(repositoryUrl(env)).toBe("https://forge.example/team/stan");
    expect(() => repositoryUrl({ GITHUB_SERVER_URL: "https://forge.example" })).toThrow("GITHUB_REPOSITORY");
  });

  it("adds address and folder, replacing what was there, and leaves the rest", () => {
    const before = { name: "@x/y", version: "0.1.0", repository: "old", files: ["dist"] };
    expect(withRepository(before, "https://forge.example/team/stan", "packages/y")).toEqual({
      name: "@x/y",
      version: "0.1.0",
      files: ["dist"],
      homepage: "https://forge.example/team/stan/tree/main/packages/y#readme",
      bugs: "https://forge.example/team/stan/issues",
      repository: { type: "git", url: "git+https://forge.example/team/stan.git", directory: "packages/y" },
    });
  });
});

describe("the packages that are published", () => {
  it("are all but the private ones, each with what a registry page shows", () => {
    const packages = publishable(root);
    const names = packages.map(({ name }) => name);
    expect(names).toContain("@nats-streaming/server");
    expect(names).not.toContain("@nats-streaming/dashboard");
    for (const { name, manifest } of packages) {
      expect([name, manifest.license, manifest.engines]).toEqual([name, "Apache-2.0", { node: ">=20.19" }]);
      expect(manifest.description.length).toBeGreaterThan(20);
      expect(manifest.keywords).toContain("nats-streaming");
      expect(manifest.files).toContain("!dist/**/*.map");
    }
  });

  it("have one version", () => {
    expect(new Set(publishable(root).map(({ manifest }) => manifest.version)).size).toBe(1);
  });
});
