import { quoteName } from "@nats-streaming/kernel";
import { textToByteString } from "../wire/byte-string.ts";

/**
 * A byte string in double quotes, as the original prints names in its texts: printable characters as they are, the rest
 * as `\n`, `\x00`, `\u200b` or `\U000e0001`, bytes that are not UTF-8 as `\xff`.
 * @returns a byte string
 * @see protocol.md 9.2
 */
export function quoteByteString(text: string): string {
  return textToByteString(quoteName(text));
}
