import { type ReloadRule, reloadRuleOf } from "./reload-rules.ts";
import { reloadables } from "./reloadable.ts";

/** More options of one section than this, with the same rule, are named by their section. */
const NAMED_MAX = 6;

/** The table of `docs/operations.md`: what a reload does about each option. */
export function reloadTable(): string {
  const rows = new Map<string, string[]>();
  for (const { id, name } of reloadables) {
    const what = describe(reloadRuleOf(id));
    rows.set(what, [...(rows.get(what) ?? []), name]);
  }
  const lines = [...rows].map(([what, names]) => `| ${what} | ${withSections(names).join(", ")} |`);
  return ["| A change | of |", "| --- | --- |", ...lines.toSorted(byKind)].join("\n");
}

function describe(rule: ReloadRule | undefined): string {
  switch (rule?.kind) {
    case "applies":
      return `applies${rule.remark === "" ? "" : ` (${rule.remark})`}`;
    case "no_effect":
      return `changes nothing: ${rule.reason}`;
    default:
      return `needs a restart: ${rule?.reason ?? "it is taken at the start"}`;
  }
}

function withSections(names: readonly string[]): readonly string[] {
  const sectionOf = (name: string): string => (/^[a-z_]+\./.exec(name)?.[0] ?? "").slice(0, -1);
  const shown = names.map((name) => {
    const section = sectionOf(name);
    const count = names.filter((other) => section !== "" && sectionOf(other) === section).length;
    return `\`${count > NAMED_MAX ? `${section}.*` : name}\``;
  });
  return [...new Set(shown)];
}

function byKind(one: string, other: string): number {
  const rank = (line: string): number =>
    ["| applies", "| needs", "| changes"].findIndex((begin) => line.startsWith(begin));
  return rank(one) - rank(other);
}
