import { type Fields, listOf, numberOf, textOf } from "./inspect-client.ts";
import { type InspectContext, numberFlag, printJson } from "./inspect-io.ts";
import { count, printable } from "./words.ts";

/** Messages of one answer at most. */
const MESSAGES_MAX = 256;
const MESSAGES_DEFAULT = 25;
/** Messages of one command at most. */
const TOTAL_MAX = 1_000_000;

const FORMS = ["json", "text", "hex"] as const;
type Form = (typeof FORMS)[number];

/** Prints messages as they are read, page by page. */
export async function showMessages(context: InspectContext): Promise<void> {
  const { request, client, print, isOver } = context;
  const [channel = ""] = request.words;
  const form = formOf(request.values.get("as"));
  const last = request.values.has("last") ? numberFlag(request, "last", 0, MESSAGES_MAX) : undefined;
  let left = last ?? numberFlag(request, "count", MESSAGES_DEFAULT, TOTAL_MAX);
  let start = last === undefined ? fromQuery(request.values.get("from")) : `last=${last}`;
  const all: Fields[] = [];
  let printed = 0;
  while (left > 0 && !isOver()) {
    const size = Math.min(left, MESSAGES_MAX);
    const path = `streaming/messagesz?channel=${encodeURIComponent(channel)}&full=1&${start}&count=${size}`;
    const page = await client.get(path);
    const messages = listOf(page, "messages");
    left -= messages.length;
    printed += messages.length;
    if (request.json) all.push(...messages);
    else for (const message of messages) print(messageText(message, form));
    const next = numberOf(page, "next");
    if (next === 0 || last !== undefined) break;
    start = `from=${next}`;
  }
  if (request.json) printJson(context, all);
  else if (printed === 0) print(`There are no messages there in ${printable(channel)}.\n`);
}

/** @throws RangeError with the remedy */
function formOf(word: string | undefined): Form | undefined {
  if (word === undefined) return undefined;
  const form = FORMS.find((one) => one === word);
  if (form === undefined) throw new RangeError(`--as ${JSON.stringify(word)} is none of ${FORMS.join(", ")}`);
  return form;
}

/** A sequence or a time. */
function fromQuery(from: string | undefined): string {
  if (from === undefined) return "from=1";
  return /^\d+$/.test(from) ? `from=${from}` : `time=${encodeURIComponent(from)}`;
}

/** A line that says which message it is, and its data below or behind it. */
function messageText(message: Fields, form: Form | undefined): string {
  const data = Buffer.from(textOf(message, "data"), "base64");
  const reply = textOf(message, "reply");
  const head = [
    `#${numberOf(message, "seq")}`,
    textOf(message, "time"),
    `${count(numberOf(message, "size"))} B`,
    ...(reply === "" ? [] : [`reply ${printable(reply)}`]),
  ].join("  ");
  const body = bodyOf(data, form ?? suitedForm(data));
  return body === "" ? `${head}\n` : `${head}\n${body}\n`;
}

function bodyOf(data: Buffer, form: Form): string {
  switch (form) {
    case "hex":
      return hexDump(data);
    case "text":
      // Line ends and tabs are the text's own.
      return data
        .toString("utf8")
        .split("\n")
        .map((line) => line.split("\t").map(printable).join("\t"))
        .join("\n");
    case "json":
      return indented(data) ?? bodyOf(data, "text");
  }
}

function suitedForm(data: Buffer): Form {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(data);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what holds these is no text
    if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text)) return "hex";
    return /^\s*[[{]/.test(text) ? "json" : "text";
  } catch {
    return "hex";
  }
}

/** Undefined for what is no JSON. */
function indented(data: Buffer): string | undefined {
  try {
    // JSON writes control characters out by itself, all but those beyond ASCII.
    return JSON.stringify(JSON.parse(data.toString("utf8")), undefined, 2)
      .split("\n")
      .map(printable)
      .join("\n");
  } catch {
    return undefined;
  }
}

const ROW_BYTES = 16;

function hexDump(data: Buffer): string {
  const lines: string[] = [];
  for (let at = 0; at < data.length; at += ROW_BYTES) {
    const row = [...data.subarray(at, at + ROW_BYTES)];
    const pairs = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const characters = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${pairs.padEnd(ROW_BYTES * 3 - 1)}  ${characters}`);
  }
  return lines.join("\n");
}
