import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { anchorsAt, pageAt, ROOT } from "./repository.ts";
import { translationFaults } from "./translation-faults.ts";

/** Folder of the translations of `docs/`; that of the README lies beside it. */
const FOLDER = "docs/zh-CN";

/** Sections that only a translation has, by its path. */
const EXTRA_SECTIONS: Readonly<Record<string, readonly string[]>> = { "docs/zh-CN/getting-started.md": ["术语表"] };

/** Original and translation. A page that is put into the folder is held to this from then on. */
const PAIRS: readonly (readonly [string, string])[] = [
  ["README.md", "README.zh-CN.md"],
  ...readdirSync(new URL(FOLDER, ROOT)).map((name) => [`docs/${name}`, `${FOLDER}/${name}`] as const),
];

describe("the Chinese pages", () => {
  it("are those of the README, of getting started and of partitioning at least", () => {
    const names = PAIRS.map(([original]) => original);
    expect(names).toEqual(expect.arrayContaining(["README.md", "docs/getting-started.md", "docs/partitioning.md"]));
  });

  it.each(PAIRS)("%s and %s are in step", (original, translation) => {
    const faults = translationFaults(pageAt(original), pageAt(translation), {
      extraSections: EXTRA_SECTIONS[translation] ?? [],
      translationOf: (path) => PAIRS.find(([name]) => name === path)?.[1],
      anchorsOf: anchorsAt,
    });
    expect(faults).toEqual([]);
  });
});
