import type { Integer } from "../source.ts";

/** Label values by name; their order is that of the text. */
export type Labels = Readonly<Record<string, string>>;

/**
 * A metric and its series, gathered one by one and printed together, as the exposition format wants it. They are written as
 * bytes at once: as strings, every series would be some objects more for the collector to find and to move, and a scrape spent
 * more time on them than on everything else.
 */
export interface Family {
  /** @param labels as {@link labelText} makes them, in UTF-8; copied */
  add(labels: Uint8Array, value: Integer): void;
  /** Everything so far; empty when nothing was added. It is the family's own until the next {@link add}. */
  bytes(): Uint8Array;
}

/** Room of a family to begin with; it doubles as needed. */
const BYTES_MIN = 4_096;
/** Bytes of a series besides its name, its labels and its value. */
const AROUND_BYTES = 4;
const [OPENING_BRACE, CLOSING_BRACE, SPACE, NEWLINE] = [0x7b, 0x7d, 0x20, 0x0a];

export function family(name: string, type: "gauge" | "counter", help: string): Family {
  const head = Buffer.from(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
  const nameBytes = Buffer.from(name);
  let buffer = new Uint8Array(0);
  let end = 0;

  const grow = (least: number): void => {
    const larger = Buffer.allocUnsafeSlow(Math.max(least, 2 * buffer.length, BYTES_MIN));
    larger.set(buffer.subarray(0, end));
    buffer = larger;
  };

  return {
    add(labels, value): void {
      const digits = String(value);
      const more = nameBytes.length + labels.length + digits.length + AROUND_BYTES;
      if (end === 0) {
        grow(head.length + more);
        buffer.set(head);
        end = head.length;
      } else if (end + more > buffer.length) grow(end + more);
      buffer.set(nameBytes, end);
      end += nameBytes.length;
      buffer[end++] = OPENING_BRACE;
      buffer.set(labels, end);
      end += labels.length;
      buffer[end++] = CLOSING_BRACE;
      buffer[end++] = SPACE;
      for (let i = 0; i < digits.length; i++) buffer[end++] = digits.charCodeAt(i);
      buffer[end++] = NEWLINE;
    },
    bytes: () => buffer.subarray(0, end),
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
