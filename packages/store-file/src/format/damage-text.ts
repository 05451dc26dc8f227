import type { OpenFile } from "@nats-streaming/kernel";
import { hex32, RECORD_HEADER_SIZE, readUint32, UNEXPECTED_EOF } from "./record.ts";

/** Most payload bytes that are printed of one bad record: a wrong size could otherwise fill the log with a whole slice. */
const PAYLOAD_SHOWN_MAX = 16 * 1024;
const BYTES_PER_LINE = 20;

export interface BadRecord {
  readonly file: OpenFile;
  readonly fileSize: number;
  readonly typed: boolean;
  /** Offset of its header. */
  readonly at: number;
  readonly fault: string;
}

/**
 * The lines that the original logs about a bad record, in its words.
 * @param root of the whole store
 * @param isRepaired whether the file is going to be cut at the record
 * @see file-store.md 15
 */
export function badRecordLines(record: BadRecord, root: string, isRepaired: boolean): string[] {
  const { file, at, fault } = record;
  const isTorn = fault === UNEXPECTED_EOF;
  const lines: string[] = [];
  if (isTorn) lines.push(`Unexpected EOF for file "${file.path}"`);
  else lines.push(`Corrupted record in file "${file.path}": ${fault}`);
  if (isTorn && !isRepaired) {
    lines.push(
      `It is recommended that you make a copy of the whole datatstore "${root}".`,
      `Restart with the ContinueOnUnexpectedEOF flag to truncate this file to this offset: ${at}.`,
      "Dataloss may occur. Details about the first corrupted record follows...",
    );
  }
  const header = new Uint8Array(RECORD_HEADER_SIZE);
  const headerLength = file.readNow(header, 0, Math.min(RECORD_HEADER_SIZE, record.fileSize - at), at);
  lines.push("Record header:", " Bytes:", hexBytes(header, 0, headerLength));
  const incomplete = (part: string, expected: number, got: number): void => {
    if (isTorn && !isRepaired) lines.push(`${part} expected to be ${expected} bytes, only read ${got}`);
  };
  if (headerLength < RECORD_HEADER_SIZE) {
    incomplete("record header", RECORD_HEADER_SIZE, headerLength);
    return lines;
  }
  const first = readUint32(header, 0);
  const size = record.typed ? first & 0xff_ffff : first;
  if (record.typed) lines.push(` Type: ${first >>> 24}`);
  lines.push(` Size: ${size}`, ` CRC : ${hex32(readUint32(header, 4))}`, "Record payload:");
  const there = Math.min(size, record.fileSize - at - RECORD_HEADER_SIZE);
  const payload = new Uint8Array(Math.min(there, PAYLOAD_SHOWN_MAX));
  const shown = file.readNow(payload, 0, payload.length, at + RECORD_HEADER_SIZE);
  for (let i = 0; i < shown; i += BYTES_PER_LINE)
    lines.push(payloadLine(payload, i, Math.min(shown, i + BYTES_PER_LINE)));
  if (shown < there) lines.push(`(${there - shown} more bytes)`);
  if (there < size) incomplete("record payload", size, there);
  return lines;
}

function payloadLine(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    text += byte < 32 || byte > 128 ? "." : String.fromCharCode(byte);
  }
  return `${hexBytes(bytes, start, end).padEnd(BYTES_PER_LINE * 3 - 1)} - ${text}`;
}

function hexBytes(bytes: Uint8Array, start: number, end: number): string {
  const parts: string[] = [];
  for (let i = start; i < end; i++) parts.push(bytes[i]!.toString(16).padStart(2, "0"));
  return parts.join(" ");
}
