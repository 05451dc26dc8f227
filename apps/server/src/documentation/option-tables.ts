import type { FlagDefinition } from "../flags/flag.ts";
import { FLAG_GROUPS } from "../flags/flag.ts";
import { flagTable } from "../flags/flag-table.ts";
import { newDraft, type OptionsDraft } from "../options/draft.ts";
import { natsAuthorization, natsGeneral } from "../options/nats-table.ts";
import { type OptionDefinition, optionText } from "../options/option.ts";
import { streamingSections } from "../options/streaming-table.ts";

/**
 * The tables of docs/configuration.md, made from the definitions that parser and help use: what is written there holds.
 * @returns Markdown
 */
export function optionTables(): string {
  return [
    ...streamingSections.map(({ keys, options }) =>
      keysTable(keys.length === 0 ? "Top level, or inside `streaming { }`" : titleOf(keys), options),
    ),
    keysTable("NATS options, at the top level", natsGeneral),
    keysTable("`authorization`", natsAuthorization),
    ...FLAG_GROUPS.map((group) =>
      flagsTable(
        group,
        flagTable.filter((flag) => flag.group === group),
      ),
    ),
  ].join("\n\n");
}

function titleOf(keys: readonly string[]): string {
  const [preferred, ...others] = keys;
  return `\`${preferred}\`${others.length === 0 ? "" : `, also ${list(others)}`}`;
}

function keysTable(title: string, options: readonly OptionDefinition<OptionsDraft>[]): string {
  const defaults = newDraft();
  const rows = options
    .filter((option) => option.keys.length > 0)
    .map((option) => {
      const [preferred = "", ...others] = option.keys;
      const also = others.length === 0 ? "" : ` Also ${list(others)}.`;
      return [`\`${preferred}\``, option.kind, code(optionText(option, defaults)), `${option.description}.${also}`];
    });
  return table(`### ${title}`, ["Key", "Type", "Default", "Meaning"], rows);
}

function flagsTable(group: string, flags: readonly FlagDefinition[]): string {
  const rows = flags.map((flag) => {
    const names = flag.names.map((name) => `\`-${name}\``).join(" ");
    const help = flag.noEffect === "" ? `${flag.help}.` : `No effect: ${flag.noEffect}.`;
    return [names, flag.kind, code(flag.default), help];
  });
  return table(`### ${group}`, ["Flag", "Type", "Default", "Meaning"], rows);
}

function table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(" | ")} |`;
  return [title, "", line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function list(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

function code(text: string): string {
  return text === "" ? "" : `\`${text}\``;
}

function escaped(cell: string): string {
  return cell.replaceAll("|", "\\|");
}
