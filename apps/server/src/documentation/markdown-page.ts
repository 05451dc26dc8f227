/** What a translation has to keep of a piece of text. Whatever is in code is neither a figure nor a link. */
export interface Words {
  /** Line of the page, from 1. */
  readonly line: number;
  /** Inline code, without its backticks, in the order of the text. */
  readonly code: readonly string[];
  /** Numbers written in digits. */
  readonly figures: readonly string[];
  /** Targets of links and images, as written. */
  readonly links: readonly string[];
}

export interface TableRow extends Words {
  readonly cells: number;
}

/** A piece of a section. A fenced block has its fences; a table has all its rows, that of dashes included. */
export type Block =
  | { readonly kind: "code block"; readonly line: number; readonly text: string }
  | { readonly kind: "table"; readonly line: number; readonly rows: readonly TableRow[] }
  | (Words & { readonly kind: "paragraph" | "list item" });

/** A heading and what stands below it. What stands above the first heading is below one of level 0. */
export interface Section {
  readonly level: number;
  readonly title: string;
  readonly heading: Words;
  readonly blocks: readonly Block[];
}

export interface MarkdownPage {
  /** Path from the root of the repository, with `/`. */
  readonly path: string;
  /** In the order of the page; the first one is that of level 0. */
  readonly sections: readonly Section[];
}

const HEADING = /^(#{1,6}) +(.+?) *$/;
const FENCE = /^ *```/;
const ITEM = /^ *(?:[-*]|\d+\.) /;
const LINK = /!?\[([^\]]*)\]\(([^)\s]+)\)/g;

/** Reads a page of the Markdown that this project writes: `#` headings, fences of backticks, tables with outer bars. */
export function readMarkdown(path: string, text: string): MarkdownPage {
  const lines = text.split("\n");
  const sections: (Section & { readonly blocks: Block[] })[] = [];
  const begin = (level: number, title: string, line: number): void => {
    sections.push({ level, title, heading: wordsOf(title, line), blocks: [] });
  };
  begin(0, "", 1);
  let at = 0;
  // The lines from here on that go on with what began here.
  const take = (goesOn: (line: string) => boolean): string[] => {
    const first = at++;
    while (at < lines.length && goesOn(lines[at] ?? "")) at++;
    return lines.slice(first, at);
  };
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const number = at + 1;
    const blocks = sections.at(-1)?.blocks ?? [];
    const heading = HEADING.exec(line);
    if (heading !== null) {
      begin((heading[1] ?? "").length, heading[2] ?? "", number);
      at++;
    } else if (FENCE.test(line)) {
      const opened = take((next) => !FENCE.test(next));
      blocks.push({ kind: "code block", line: number, text: [...opened, lines[at++] ?? ""].join("\n") });
    } else if (line.startsWith("|")) {
      const rows = take((next) => next.startsWith("|")).map((row, i) => rowOf(row, number + i));
      blocks.push({ kind: "table", line: number, rows });
    } else if (line.trim() === "") {
      at++;
    } else {
      const kind = ITEM.test(line) ? "list item" : "paragraph";
      const words = take(
        (next) => next.trim() !== "" && !/^(#|\|)/.test(next) && !ITEM.test(next) && !FENCE.test(next),
      );
      blocks.push({ kind, ...wordsOf(words.join("\n"), number) });
    }
  }
  return { path, sections };
}

/** What the headings of a page are called in addresses behind `#`, in the order of the page. */
export function anchorsOf(page: MarkdownPage): readonly string[] {
  const taken = new Map<string, number>();
  return page.sections.slice(1).map(({ title }) => {
    const words = title.replace(LINK, "$1").toLowerCase();
    const anchor = words.replace(/[^\p{L}\p{M}\p{N}_ -]/gu, "").replaceAll(" ", "-");
    const times = taken.get(anchor) ?? 0;
    taken.set(anchor, times + 1);
    return times === 0 ? anchor : `${anchor}-${times}`;
  });
}

function rowOf(text: string, line: number): TableRow {
  const bars = text.replace(/(`+)[^`]+\1/g, "").replaceAll("\\|", "");
  return { ...wordsOf(text, line), cells: bars.split("|").length - 2 };
}

function wordsOf(text: string, line: number): Words {
  const code: string[] = [];
  const links: string[] = [];
  const prose = text
    .replace(/(`+)([^`]+)\1/g, (_, _fence, span: string) => {
      // A span may be broken over two lines, which counts as a blank.
      code.push(span.replace(/\s+/g, " "));
      return "";
    })
    .replace(LINK, (_, words: string, target: string) => {
      links.push(target);
      return words;
    });
  return { line, code, links, figures: prose.match(/\d+(?:[.,]\d+)*/g) ?? [] };
}
