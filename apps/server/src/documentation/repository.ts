import { readdirSync, readFileSync, statSync } from "node:fs";
import { posix } from "node:path";
import { anchorsOf, type MarkdownPage, readMarkdown } from "./markdown-page.ts";

/** The root of the repository. */
export const ROOT: URL = new URL("../../../../", import.meta.url);

/** Pages that are written for people, whether they have links and commands or not; translations are not among them. */
export const PAGES: readonly string[] = [
  ...["README.md", "CONTRIBUTING.md", "SECURITY.md", "test-e2e/README.md", "deploy/README.md"],
  ...readdirSync(new URL("docs", ROOT)).flatMap((name) => (name.endsWith(".md") ? [`docs/${name}`] : [])),
  ...["packages", "apps"].flatMap((parent) =>
    readdirSync(new URL(parent, ROOT)).map((name) => `${parent}/${name}/README.md`),
  ),
];

/** @param path from the root, with `/` */
export function pageAt(path: string): MarkdownPage {
  return readMarkdown(path, readFileSync(new URL(path, ROOT), "utf8"));
}

/** What a link may lead to: anchors of a page, none of other files and folders, undefined for what is not in the repository. */
export function anchorsAt(path: string): readonly string[] | undefined {
  const found = path.startsWith("..") ? undefined : statSync(new URL(path, ROOT), { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  return found.isFile() && posix.extname(path) === ".md" ? anchorsOf(pageAt(path)) : [];
}
