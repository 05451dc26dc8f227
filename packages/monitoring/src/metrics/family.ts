import type { Integer } from "../source.ts";

/** Label values by name; their order is that of the text. */
export type Labels = Readonly<Record<string, string>>;

/** A metric and its series, gathered one by one and printed together, as the exposition format wants it. */
export interface Family {
  /** @param labels as {@link labelText} makes them */
  add(labels: string, value: Integer): void;
  /** In parts of some kilobytes, in order; none when nothing was added. */
  texts(): Iterable<string>;
}

/** Lines that are joined at once: a thousand channels have megabytes of them, and joining all would hold up the server. */
const PART_LINES = 128;

export function family(name: string, type: "gauge" | "counter", help: string): Family {
  const parts: string[] = [];
  let lines: string[] = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
  let isEmpty = true;
  return {
    add(labels, value): void {
      isEmpty = false;
      lines.push(`${name}{${labels}} ${value}`);
      if (lines.length < PART_LINES) return;
      parts.push(`${lines.join("\n")}\n`);
      lines = [];
    },
    *texts(): Iterable<string> {
      if (isEmpty) return;
      yield* parts;
      if (lines.length > 0) yield `${lines.join("\n")}\n`;
    },
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
