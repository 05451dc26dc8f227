import { describe, expect, it } from "vitest";
import { brokenLinks } from "./page-links.ts";
import { anchorsAt, PAGES, pageAt } from "./repository.ts";

describe("links in the documentation", () => {
  // Translations have a test of their own.
  it.each(PAGES)("%s: lead to files and headings that are there", (path) => {
    expect(brokenLinks(pageAt(path), anchorsAt)).toEqual([]);
  });
});
