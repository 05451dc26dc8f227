/** How the data of a message is shown. */
export type Display = "json" | "text" | "hex";

export function decodeBase64(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** What suits the data: JSON and text where it is that, else bytes. */
export function displayFor(data: Uint8Array): Display {
  const text = asText(data);
  if (text === undefined) return "hex";
  return asJson(text) === undefined ? "text" : "json";
}

export function display(data: Uint8Array, how: Display): string {
  switch (how) {
    case "hex":
      return hexDump(data);
    case "text":
      return new TextDecoder().decode(data);
    case "json": {
      const text = new TextDecoder().decode(data);
      return asJson(text) ?? text;
    }
  }
}

/** A line of it for a list. */
export function preview(data: Uint8Array): string {
  const text = asText(data.subarray(0, PREVIEW_BYTES + 3), true);
  if (text === undefined) return [...data.subarray(0, PREVIEW_BYTES / 4)].map(hex).join(" ");
  return text.slice(0, PREVIEW_BYTES).replace(/\s+/g, " ");
}

const PREVIEW_BYTES = 160;

/** Undefined when it is not text. @param isPart it may end within a character */
function asText(data: Uint8Array, isPart = false): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(data, { stream: isPart });
    // Tabs and line ends are text, other control characters are not.
    return [...text].some((character) => character < " " && !"\t\n\r".includes(character)) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Indented; undefined when it is no JSON object or list. */
function asJson(text: string): string | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return undefined;
  }
}

const ROW_BYTES = 16;

/** Offset, bytes and characters, sixteen a line. */
export function hexDump(data: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < data.length; at += ROW_BYTES) {
    const row = [...data.subarray(at, at + ROW_BYTES)];
    const bytes = row
      .map(hex)
      .join(" ")
      .padEnd(ROW_BYTES * 3 - 1);
    const characters = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${bytes}  ${characters}`);
  }
  return lines.join("\n");
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
