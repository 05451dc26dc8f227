import type { Block, MarkdownPage, Section, TableRow, Words } from "./markdown-page.ts";
import { brokenLinks, isElsewhere, quoted, resolved, wordsOfPage } from "./page-links.ts";

/** What is known of the other pages and files of the repository. Paths are from its root, with `/`. */
export interface Surroundings {
  /** Titles of sections that only the translation has, at its end. */
  readonly extraSections: readonly string[];
  /** The translation of a page; undefined when it has none. */
  translationOf(path: string): string | undefined;
  /** Anchors of the headings of a page; none for other files and folders, undefined for what does not exist. */
  anchorsOf(path: string): readonly string[] | undefined;
}

/**
 * Where a translation is not in step with its original: each fault names the page and line, what is there, and the remedy. Headings
 * and blocks must be the same ones in the same order; fenced blocks equal; tables of the same rows and cells; inline code, figures and
 * links the same ones in each paragraph, list item and row, in any order. Links lead to translations where there are any. Prose is
 * not compared.
 */
export function translationFaults(
  original: MarkdownPage,
  translation: MarkdownPage,
  surroundings: Surroundings,
): readonly string[] {
  const faults = brokenLinks(translation, surroundings.anchorsOf);
  const own = withoutExtras(translation, surroundings.extraSections);
  if (typeof own === "string") return [...faults, own];
  const compare = comparison(original, translation, surroundings, faults);
  if (!wordsOfPage(original).some(({ links }) => links.some((link) => resolved(original, link) === translation.path))) {
    faults.push(`${original.path}: has no link to its translation ${translation.path}; add one below the title`);
  }
  const sections = Math.max(own.length, original.sections.length);
  for (let i = 0; i < sections; i++) {
    const [wanted, found] = [original.sections[i], own[i]];
    if (wanted?.level === found?.level && wanted !== undefined && found !== undefined) {
      compare.section(wanted, found);
      continue;
    }
    const last = translation.sections.at(-1);
    const at = `${translation.path}:${(found ?? last)?.heading.line ?? 1}`;
    if (wanted === undefined) faults.push(`${at}: ${named(found)} is not in ${original.path}; take it out`);
    else {
      const place = `${original.path}:${wanted.heading.line}`;
      faults.push(`${at}: expected ${named(wanted)} of ${place}, found ${named(found)}; translate what changed there`);
    }
    // Whatever follows would be held against another section.
    break;
  }
  return faults;
}

function named(section: Section | undefined): string {
  return section === undefined ? "the end of the page" : `the heading "${"#".repeat(section.level)} ${section.title}"`;
}

/** The sections that the original must have, too; a text when an extra one is not there. */
function withoutExtras(page: MarkdownPage, extras: readonly string[]): readonly Section[] | string {
  const end = page.sections.length - extras.length;
  const titles = page.sections.slice(end).map(({ title }) => title);
  if (extras.every((extra, i) => titles[i] === extra)) return page.sections.slice(0, end);
  const wanted = extras.map((extra) => `"${extra}"`).join(", ");
  return `${page.path}: does not end with its own sections ${wanted}; put them there, or take them off the list of extra sections`;
}

interface Comparison {
  section(wanted: Section, found: Section): void;
}

function comparison(
  original: MarkdownPage,
  translation: MarkdownPage,
  surroundings: Surroundings,
  faults: string[],
): Comparison {
  const report = (found: number, wanted: number, what: string): void => {
    faults.push(`${translation.path}:${found}: ${what} (${original.path}:${wanted})`);
  };

  const words = (wanted: Words, found: Words): void => {
    const targets = wanted.links.map((link) => translatedTarget(link, original, translation, surroundings));
    const own = found.links.map((link) => resolved(translation, link));
    for (const [kind, left, right] of [
      ["inline code", wanted.code, found.code],
      ["figures", wanted.figures, found.figures],
      ["links", targets, own],
    ] as const) {
      const [missing, extra] = [without(left, right), without(right, left)];
      if (missing.length > 0) report(found.line, wanted.line, `${kind} missing: ${quoted(missing)}; bring it in`);
      if (extra.length > 0)
        report(found.line, wanted.line, `${kind} not in the original: ${quoted(extra)}; take it out`);
    }
  };

  const rows = (wanted: readonly TableRow[], found: readonly TableRow[], line: number): void => {
    const [first] = wanted;
    if (wanted.length !== found.length) {
      const counts = `the table has ${found.length} rows, that of the original ${wanted.length}`;
      report(line, first?.line ?? 1, `${counts}; translate the rows that were added, or take out those that are gone`);
      return;
    }
    wanted.forEach((row, i) => {
      const own = found[i] ?? row;
      if (own.cells !== row.cells) {
        const counts = `the row has ${own.cells} cells, that of the original ${row.cells}`;
        report(own.line, row.line, `${counts}; write it with as many`);
      }
      words(row, own);
    });
  };

  const block = (wanted: Block, found: Block): void => {
    if (wanted.kind === "code block") {
      if (found.kind !== "code block" || found.text === wanted.text) return;
      const differs = firstDifference(wanted.text, found.text);
      report(found.line, wanted.line, `the code block differs at ${differs}; copy the original's unchanged`);
    } else if (wanted.kind === "table") {
      if (found.kind === "table") rows(wanted.rows, found.rows, found.line);
    } else if (found.kind === wanted.kind) words(wanted, found);
  };

  return {
    section(wanted, found) {
      words(wanted.heading, found.heading);
      const count = Math.max(wanted.blocks.length, found.blocks.length);
      for (let i = 0; i < count; i++) {
        const [left, right] = [wanted.blocks[i], found.blocks[i]];
        if (left !== undefined && right !== undefined && left.kind === right.kind) {
          block(left, right);
          continue;
        }
        const [expected, instead] = [left?.kind ?? "the end of the section", right?.kind ?? "the end of the section"];
        const what = `below ${named(found)}: expected ${expected}, found ${instead}; translate what changed there`;
        report((right ?? found.heading).line, (left ?? wanted.heading).line, what);
        return;
      }
    },
  };
}

/** What is in the one list more often than in the other one. */
function without(list: readonly string[], others: readonly string[]): readonly string[] {
  const left = [...others];
  return list.filter((value) => {
    const i = left.indexOf(value);
    if (i >= 0) left.splice(i, 1);
    return i < 0;
  });
}

function firstDifference(wanted: string, found: string): string {
  const [left, right] = [wanted.split("\n"), found.split("\n")];
  const i = left.findIndex((line, at) => line !== right[at]);
  return i < 0 ? `its line ${left.length + 1}` : `its line ${i + 1}, "${left[i] ?? ""}"`;
}

/** Where a link of the original has to lead in the translation. */
function translatedTarget(
  link: string,
  original: MarkdownPage,
  translation: MarkdownPage,
  { translationOf, anchorsOf }: Surroundings,
): string {
  const target = resolved(original, link);
  // Each page links to the other one.
  if (target === translation.path) return original.path;
  if (isElsewhere(link)) return target;
  const [path = "", anchor] = target.split("#");
  const counterpart = translationOf(path);
  if (counterpart === undefined) return target;
  if (anchor === undefined) return counterpart;
  const at = anchorsOf(path)?.indexOf(anchor) ?? -1;
  return `${counterpart}#${anchorsOf(counterpart)?.[at] ?? anchor}`;
}
