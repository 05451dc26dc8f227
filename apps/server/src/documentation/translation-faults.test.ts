import { describe, expect, it } from "vitest";
import { anchorsOf, readMarkdown } from "./markdown-page.ts";
import { translationFaults } from "./translation-faults.ts";

const ORIGINAL = `# Start

[Chinese](zh/start.md)

Take \`-p\` for port 4222, or see [limits](limits.md#most) and [the second](#second-part).

\`\`\`sh
npm start
npm test
\`\`\`

## Second part

| Key | Value |
| --- | --- |
| \`a\` | 1 |
| \`b|c\` | 2 |

- with \`-t\`
- [more](more.md)
`;

const TRANSLATION = `# 开始

[English](../start.md)

端口 4222 用 \`-p\`，参见[第二部分](#第二部分)和[限制](../limits.md#most)。

\`\`\`sh
npm start
npm test
\`\`\`

## 第二部分

| 键 | 值 |
| --- | --- |
| \`a\` | 1 |
| \`b|c\` | 2 |

- 使用 \`-t\`
- [更多](more.md)

## 术语

只在译文中。
`;

const ANCHORS: Readonly<Record<string, readonly string[]>> = {
  "docs/limits.md": ["limits", "most"],
  "docs/more.md": ["more"],
  "docs/zh/more.md": ["更多"],
};

/** The faults after a text of one of the pages has become another one. */
function faultsAfter(changes: { original?: readonly [string, string]; translation?: readonly [string, string] }) {
  const change = (text: string, [from, to]: readonly [string, string] = ["", ""]): string => {
    expect(text).toContain(from);
    return text.replace(from, () => to);
  };
  const original = readMarkdown("docs/start.md", change(ORIGINAL, changes.original));
  const translation = readMarkdown("docs/zh/start.md", change(TRANSLATION, changes.translation));
  const anchors = { ...ANCHORS, [original.path]: anchorsOf(original), [translation.path]: anchorsOf(translation) };
  const translations: Readonly<Record<string, string>> = {
    "docs/start.md": "docs/zh/start.md",
    "docs/more.md": "docs/zh/more.md",
  };
  return translationFaults(original, translation, {
    extraSections: ["术语"],
    translationOf: (path) => translations[path],
    anchorsOf: (path) => anchors[path],
  });
}

describe("translationFaults()", () => {
  it("finds none in a translation that is in step, whatever the order of code and links within a paragraph", () => {
    expect(faultsAfter({})).toEqual([]);
  });

  it("finds a command that has changed", () => {
    expect(faultsAfter({ original: ["npm test", "npm run unit"] })).toEqual([
      'docs/zh/start.md:7: the code block differs at its line 3, "npm run unit"; copy the original\'s unchanged (docs/start.md:7)',
    ]);
  });

  it("finds a changed language of a code block, and a line that the original no longer has", () => {
    expect(faultsAfter({ original: ["```sh", "```console"] })[0]).toContain('differs at its line 1, "```console"');
    expect(faultsAfter({ original: ["npm test\n", ""] })[0]).toContain('differs at its line 3, "```"');
  });

  it("finds a heading that was added to the original, and one that the translation has at another level", () => {
    expect(faultsAfter({ original: ["- with", "## Third\n\n- with"] })).toEqual([
      'docs/zh/start.md:19: below the heading "## 第二部分": expected the end of the section, found list item; translate what changed there (docs/start.md:12)',
      'docs/zh/start.md:22: expected the heading "## Third" of docs/start.md:19, found the end of the page; translate what changed there',
    ]);
    expect(faultsAfter({ translation: ["## 第二部分", "### 第二部分"] })).toEqual([
      'docs/zh/start.md:12: expected the heading "## Second part" of docs/start.md:12, found the heading "### 第二部分"; translate what changed there',
    ]);
  });

  it("finds a heading that only the translation has", () => {
    expect(faultsAfter({ translation: ["## 术语", "## 附录\n\n## 术语"] })).toEqual([
      'docs/zh/start.md:22: the heading "## 附录" is not in docs/start.md; take it out',
    ]);
  });

  it("finds that an extra section is not where it was allowed", () => {
    expect(faultsAfter({ translation: ["## 术语", "## 词汇"] })).toEqual([
      'docs/zh/start.md: does not end with its own sections "术语"; put them there, or take them off the list of extra sections',
    ]);
  });

  it("finds a missing row of a table", () => {
    expect(faultsAfter({ translation: ["| `a` | 1 |\n", ""] })).toEqual([
      "docs/zh/start.md:14: the table has 3 rows, that of the original 4; translate the rows that were added, or take out those that are gone (docs/start.md:14)",
    ]);
  });

  it("finds a row with other cells, and does not take a bar in code for the edge of one", () => {
    expect(faultsAfter({ translation: ["| `b|c` | 2 |", "| `b|c` | 2 | |"] })).toEqual([
      "docs/zh/start.md:17: the row has 3 cells, that of the original 2; write it with as many (docs/start.md:17)",
    ]);
  });

  it("finds inline code and figures that differ, in the paragraph, the item and the row", () => {
    expect(faultsAfter({ original: ["`-p` for port 4222", "`--port` for port 4333"] })).toEqual([
      'docs/zh/start.md:5: inline code missing: "--port"; bring it in (docs/start.md:5)',
      'docs/zh/start.md:5: inline code not in the original: "-p"; take it out (docs/start.md:5)',
      'docs/zh/start.md:5: figures missing: "4333"; bring it in (docs/start.md:5)',
      'docs/zh/start.md:5: figures not in the original: "4222"; take it out (docs/start.md:5)',
    ]);
    expect(faultsAfter({ original: ["`-t`", "`-T`"] })[0]).toContain('docs/zh/start.md:19: inline code missing: "-T"');
    expect(faultsAfter({ original: ["| 1 |", "| 1.5 |"] })[0]).toContain('docs/zh/start.md:16: figures missing: "1.5"');
  });

  it("finds a paragraph and a list item that were added", () => {
    expect(faultsAfter({ original: ["- with", "And so on.\n\n- with"] })).toEqual([
      'docs/zh/start.md:19: below the heading "## 第二部分": expected paragraph, found list item; translate what changed there (docs/start.md:19)',
    ]);
    expect(faultsAfter({ original: ["- with", "- without\n- with"] }).at(-1)).toBe(
      'docs/zh/start.md:12: below the heading "## 第二部分": expected list item, found the end of the section; translate what changed there (docs/start.md:21)',
    );
  });

  it("finds a link to a file or a heading that does not exist", () => {
    expect(faultsAfter({ translation: ["../limits.md#most", "limits.md#most"] })[0]).toBe(
      'docs/zh/start.md:5: the link "limits.md#most" leads to docs/zh/limits.md, which does not exist; correct its path',
    );
    expect(faultsAfter({ translation: ["../limits.md#most", "../limits.md#least"] })[0]).toBe(
      'docs/zh/start.md:5: the link "../limits.md#least" leads to no heading of docs/limits.md; its headings are "limits", "most"',
    );
  });

  it("finds a broken link in a section that only the translation has", () => {
    expect(faultsAfter({ translation: ["只在译文中。", "[见](none.md)"] })).toEqual([
      'docs/zh/start.md:24: the link "none.md" leads to docs/zh/none.md, which does not exist; correct its path',
    ]);
  });

  it("finds a link to an original that has a translation, and one to another heading", () => {
    expect(faultsAfter({ translation: ["(more.md)", "(../more.md)"] })).toEqual([
      'docs/zh/start.md:20: links missing: "docs/zh/more.md"; bring it in (docs/start.md:20)',
      'docs/zh/start.md:20: links not in the original: "docs/more.md"; take it out (docs/start.md:20)',
    ]);
    expect(faultsAfter({ translation: ["(#第二部分)", "(#开始)"] })[0]).toBe(
      'docs/zh/start.md:5: links missing: "docs/zh/start.md#第二部分"; bring it in (docs/start.md:5)',
    );
  });

  it("finds that the pages do not link to each other", () => {
    expect(faultsAfter({ original: ["(zh/start.md)", "(https://example.com/)"] })).toContain(
      "docs/start.md: has no link to its translation docs/zh/start.md; add one below the title",
    );
    expect(faultsAfter({ translation: ["(../start.md)", "(../limits.md)"] })[0]).toBe(
      'docs/zh/start.md:3: links missing: "docs/start.md"; bring it in (docs/start.md:3)',
    );
  });
});

describe("anchorsOf()", () => {
  it("makes anchors as they are made of headings: no punctuation, blanks as dashes, numbers for repeated ones", () => {
    const page = readMarkdown(
      "x.md",
      "# Go on, `now`!\n\n```sh\n# no heading\n```\n\n## 8. 投入生产\n\n## Go on now\n",
    );
    expect(anchorsOf(page)).toEqual(["go-on-now", "8-投入生产", "go-on-now-1"]);
  });
});
