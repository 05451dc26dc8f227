import { posix } from "node:path";
import type { Block, MarkdownPage, Words } from "./markdown-page.ts";

/** Everything of a page that is in words: headings, paragraphs, items and rows, in their order. */
export function wordsOfPage(page: MarkdownPage): readonly Words[] {
  return page.sections.flatMap(({ heading, blocks }) => [heading, ...blocks.flatMap(wordsOfBlock)]);
}

function wordsOfBlock(block: Block): readonly Words[] {
  if (block.kind === "table") return block.rows;
  return block.kind === "code block" ? [] : [block];
}

/** Whether a link leads out of the repository. */
export function isElsewhere(link: string): boolean {
  return /^[a-z]+:/.test(link);
}

/** The path from the root, and the anchor, that a link of a page leads to. */
export function resolved(page: MarkdownPage, link: string): string {
  if (isElsewhere(link)) return link;
  if (link.startsWith("#")) return page.path + link;
  return posix.join(posix.dirname(page.path), link).replace(/\/$/, "");
}

/**
 * Links of a page that lead to no file, folder or heading: each with its place and the remedy.
 * @param anchorsOf anchors of the headings of a page; none for other files and folders, undefined for what does not exist
 */
export function brokenLinks(page: MarkdownPage, anchorsOf: (path: string) => readonly string[] | undefined): string[] {
  return wordsOfPage(page).flatMap(({ line, links }) =>
    links.flatMap((link) => {
      if (isElsewhere(link)) return [];
      const [path = "", anchor] = resolved(page, link).split("#");
      const anchors = anchorsOf(path);
      const at = `${page.path}:${line}: the link "${link}"`;
      if (anchors === undefined) return [`${at} leads to ${path}, which does not exist; correct its path`];
      if (anchor === undefined || anchors.includes(anchor)) return [];
      return [`${at} leads to no heading of ${path}; its headings are ${quoted(anchors)}`];
    }),
  );
}

/** `"one", "two"` */
export function quoted(values: readonly string[]): string {
  return values.map((value) => `"${value}"`).join(", ");
}
