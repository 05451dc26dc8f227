const BEGIN = "<!-- made from the definitions: begin (pnpm run docs) -->";
const END = "<!-- made from the definitions: end -->";

/** A page with the part between its marks replaced. @throws Error when it has no marks */
export function withGenerated(page: string, generated: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the page has no "${BEGIN}" and "${END}"`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${generated}\n\n${page.slice(end)}`;
}
