import { byteString, byteStringBytes } from "@nats-streaming/protocol";

export const SERVER_FILE = "server.dat";
export const CLIENTS_FILE = "clients.dat";
export const SUBSCRIPTIONS_FILE = "subs.dat";
/** Counts of redeliveries, which the original does not keep: it passes over a file of this name. */
export const REDELIVERIES_FILE = "redeliveries.dat";
export const LOCK_FILE = ".rootdir.lck";
export const TRUNCATE_WITNESS = ".truncate.lck";

const SLICE_PREFIX = "msgs.";
const DATA_SUFFIX = ".dat";

export function dataFileName(slice: number): string {
  return `${SLICE_PREFIX}${slice}${DATA_SUFFIX}`;
}

export function indexFileName(slice: number): string {
  return `${SLICE_PREFIX}${slice}.idx`;
}

/** The index that belongs to the data file of a slice; undefined for any other file. @param path with its directories */
export function indexOfSlice(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return isSliceName(name) ? `${path.slice(0, -DATA_SUFFIX.length)}.idx` : undefined;
}

/** Whether a file of a channel's directory is taken for a slice, whether or not its name is valid. */
export function isSliceName(name: string): boolean {
  return name.startsWith(SLICE_PREFIX) && name.endsWith(DATA_SUFFIX);
}

/** Number of the slice in a data file of that name, from 1; undefined for a name that no slice can have. */
export function sliceNumber(name: string): number | undefined {
  const digits = name.slice(SLICE_PREFIX.length, -DATA_SUFFIX.length);
  if (!/^[0-9]{1,15}$/.test(digits)) return undefined;
  const number = Number(digits);
  return number > 0 ? number : undefined;
}

/** Bytes that are no UTF-8 stand in a path as lone surrogates from here on: 0x80 is U+DC80. */
const ESCAPED_BYTES = 0xdc00;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The directory of a channel as the file system interface names it: the text that the name's bytes spell, in which a byte
 * that is no UTF-8 becomes a lone surrogate.
 * @param channel byte string
 */
export function channelDirectory(channel: string): string {
  if (isAscii(channel)) return channel;
  const bytes = byteStringBytes(channel);
  try {
    return decoder.decode(bytes);
  } catch {
    return decodeEscaped(bytes);
  }
}

/** The channel, as a byte string, that a directory is named after. */
export function directoryChannel(name: string): string {
  if (isAscii(name)) return name;
  let channel = "";
  for (const character of name) {
    const code = character.codePointAt(0) ?? 0;
    if (code > ESCAPED_BYTES + 0x7f && code <= ESCAPED_BYTES + 0xff)
      channel += String.fromCharCode(code - ESCAPED_BYTES);
    else channel += byteString(Buffer.from(character, "utf8"));
  }
  return channel;
}

function decodeEscaped(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    const length = characterLength(bytes, i);
    text +=
      length === 0 ? String.fromCharCode(ESCAPED_BYTES + bytes[i]!) : decoder.decode(bytes.subarray(i, i + length));
    i += Math.max(length, 1);
  }
  return text;
}

/** Bytes of the UTF-8 character at `at`; 0 when there is none. */
function characterLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + length > bytes.length) return 0;
  try {
    decoder.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
