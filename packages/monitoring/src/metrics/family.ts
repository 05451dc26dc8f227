import type { Integer } from "../source.ts";

/** Label values by name; their order is that of the text. */
export type Labels = Readonly<Record<string, string>>;

/** A metric and its series, gathered one by one and printed together, as the exposition format wants it. */
export interface Family {
  /** @param labels as {@link labelText} makes them */
  add(labels: string, value: Integer): void;
  /** Empty when nothing was added. */
  text(): string;
}

export function family(name: string, type: "gauge" | "counter", help: string): Family {
  const lines: string[] = [];
  return {
    add(labels, value): void {
      lines.push(`${name}{${labels}} ${value}`);
    },
    text: () => (lines.length === 0 ? "" : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("\n")}\n`),
  };
}

/** Labels as they stand between the braces. */
export function labelText(labels: Labels): string {
  let text = "";
  for (const name in labels) {
    text += `${text === "" ? "" : ","}${name}="${escapeLabel(labels[name] ?? "")}"`;
  }
  return text;
}

function escapeLabel(value: string): string {
  // Nearly no value has anything to escape.
  return /[\\"\n]/.test(value)
    ? value.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`))
    : value;
}
