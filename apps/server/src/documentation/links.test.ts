import { readdirSync, readFileSync, statSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import { anchorsOf, type Block, type MarkdownPage, readMarkdown, type Words } from "./markdown-page.ts";

const ROOT = new URL("../../../../", import.meta.url);

/** Everything that is written for people; translations have a test of their own. */
const PAGES = [
  ...["README.md", "CONTRIBUTING.md", "SECURITY.md", "test-e2e/README.md", "deploy/README.md"],
  ...readdirSync(new URL("docs", ROOT)).flatMap((name) => (name.endsWith(".md") ? [`docs/${name}`] : [])),
  ...["packages", "apps"].flatMap((parent) =>
    readdirSync(new URL(parent, ROOT)).map((name) => `${parent}/${name}/README.md`),
  ),
];

function pageAt(path: string): MarkdownPage {
  return readMarkdown(path, readFileSync(new URL(path, ROOT), "utf8"));
}

function linksOf(page: MarkdownPage): string[] {
  const inBlock = (block: Block): readonly Words[] => {
    if (block.kind === "code block") return [];
    return block.kind === "table" ? block.rows : [block];
  };
  const words = page.sections.flatMap(({ heading, blocks }) => [heading, ...blocks.flatMap(inBlock)]);
  return words.flatMap(({ links }) => links).filter((link) => !/^(https?|mailto):/.test(link));
}

function isThere(page: MarkdownPage, link: string): boolean {
  const [target = "", anchor] = link.split("#");
  const path = target === "" ? page.path : posix.join(posix.dirname(page.path), target);
  const found = statSync(new URL(path, ROOT), { throwIfNoEntry: false });
  if (found === undefined) return false;
  return anchor === undefined || (path.endsWith(".md") && anchorsOf(pageAt(path)).includes(anchor));
}

describe("links in the documentation", () => {
  it.each(PAGES)("%s: lead to files and headings that are there", (path) => {
    const page = pageAt(path);
    expect(linksOf(page).filter((link) => !isThere(page, link))).toEqual([]);
  });
});
