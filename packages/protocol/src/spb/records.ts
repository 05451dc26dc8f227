/** Bytes in front of each record: its length, little endian. */
const LENGTH_BYTES = 4;

/** Bytes that a record of `length` bytes takes in a page. */
export function recordSize(length: number): number {
  return LENGTH_BYTES + length;
}

/** Records back to back, each behind its length in four bytes, little endian. The result belongs to the caller. */
export function encodeRecords(records: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const record of records) size += recordSize(record.length);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const record of records) {
    view.setUint32(at, record.length, true);
    bytes.set(record, at + LENGTH_BYTES);
    at += recordSize(record.length);
  }
  return bytes;
}

/** The records in received bytes, as views of them; undefined when they break off. */
export function decodeRecords(bytes: Uint8Array): readonly Uint8Array[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const records: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + LENGTH_BYTES > bytes.length) return undefined;
    const end = at + LENGTH_BYTES + view.getUint32(at, true);
    if (end > bytes.length) return undefined;
    records.push(bytes.subarray(at + LENGTH_BYTES, end));
    at = end;
  }
  return records;
}
