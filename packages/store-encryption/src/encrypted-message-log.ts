import type { Sequence, Timestamp, TimestampNanos } from "@nats-streaming/kernel";
import {
  decodeMsgProto,
  encodeMsgProto,
  type MsgProtoView,
  msgProtoView,
  readMsgProto,
} from "@nats-streaming/protocol/stan";
import {
  type IncomingMessage,
  LOOKUP_COLD,
  LOOKUP_FOUND,
  type Lookup,
  type MessageLog,
  type StoredMessage,
  StoreError,
} from "@nats-streaming/store";
import type { DecryptedMessages } from "./decrypted-messages.ts";
import {
  type DecryptionFailure,
  decryptionText,
  ENCRYPTION_BYTES,
  isEncrypted,
  type PayloadCipher,
} from "./payload-cipher.ts";

/** Room for encrypting that is kept from message to message; a larger one is given back. */
const ROOM_KEPT_MAX = 1_048_576;

/** Tag of the field `data` of a `MsgProto`. */
const DATA_TAG = 0x22;

export interface EncryptedMessageLogOptions {
  /** Where the encrypted messages are. */
  readonly log: MessageLog;
  readonly cipher: PayloadCipher;
  readonly decrypted: DecryptedMessages;
}

/** A log of which the payloads are encrypted, as a log of plain ones. */
export function createEncryptedMessageLog(options: EncryptedMessageLogOptions): MessageLog {
  return new EncryptedMessageLog(options);
}

class EncryptedMessageLog implements MessageLog {
  readonly channel: string;
  readonly #log: MessageLog;
  readonly #cipher: PayloadCipher;
  readonly #decrypted: DecryptedMessages;
  /** In {@link #decrypted}. */
  readonly #owner: number;
  readonly #checked: StoredMessage = { bytes: NO_BYTES, start: 0, end: 0 };

  constructor({ log, cipher, decrypted }: EncryptedMessageLogOptions) {
    this.channel = log.channel;
    this.#log = log;
    this.#cipher = cipher;
    this.#decrypted = decrypted;
    this.#owner = decrypted.newOwner();
  }

  get firstSequence(): Sequence {
    return this.#log.firstSequence;
  }

  get lastSequence(): Sequence {
    return this.#log.lastSequence;
  }

  get count(): number {
    return this.#log.count;
  }

  get bytes(): number {
    return this.#log.bytes;
  }

  append(sequence: Sequence, message: IncomingMessage, timestamp: Timestamp): void {
    const { bytes, replyStart, replyEnd, dataStart, dataEnd } = message;
    if (dataStart === dataEnd) {
      this.#log.append(sequence, message, timestamp);
      return;
    }
    const replyLength = replyEnd - replyStart;
    const size = replyLength + dataEnd - dataStart + ENCRYPTION_BYTES;
    if (room.length < size) room = new Uint8Array(size);
    room.set(bytes.subarray(replyStart, replyEnd));
    encrypted.bytes = room;
    encrypted.replyEnd = encrypted.dataStart = replyLength;
    encrypted.dataEnd = this.#cipher.encrypt(bytes, dataStart, dataEnd, room, replyLength);
    this.#log.append(sequence, encrypted, timestamp);
    if (size > ROOM_KEPT_MAX) encrypted.bytes = room = NO_BYTES;
  }

  lookup(sequence: number, out: StoredMessage): Lookup {
    const found = this.#log.lookup(sequence, out);
    // What cannot be decrypted is given as what cannot be had without waiting: whoever waits gets to hear why.
    return found !== LOOKUP_FOUND || this.#decrypt(sequence, out) === 0 ? found : LOOKUP_COLD;
  }

  /** @throws StoreError `read_failed`, also when the message at `from` cannot be decrypted */
  async load(from: number, count: number): Promise<void> {
    await this.#log.load(from, count);
    if (this.#log.lookup(from, this.#checked) !== LOOKUP_FOUND) return;
    const failure = this.#decrypt(from, this.#checked);
    this.#checked.bytes = NO_BYTES;
    if (failure === 0) return;
    throw new StoreError("read_failed", decryptionText(failure, stored.dataEnd - stored.dataStart));
  }

  sequenceFromTimestamp(timestamp: TimestampNanos): number | Promise<number> {
    return this.#log.sequenceFromTimestamp(timestamp);
  }

  empty(): void {
    this.#log.empty();
  }

  /** Puts the plain message in place of the stored one. {@link stored} tells where that has its payload. */
  #decrypt(sequence: number, out: StoredMessage): DecryptionFailure | 0 {
    const { bytes, start, end } = out;
    // A message that is none is the server's business, not ours.
    if (readMsgProto(stored, bytes, start, end) !== 0) return 0;
    const { dataStart, dataEnd } = stored;
    if (!isEncrypted(bytes, dataStart, dataEnd)) return 0;
    const nonce = dataStart + 1;
    const isWhole = dataEnd - dataStart >= ENCRYPTION_BYTES;
    if (isWhole && this.#decrypted.find(this.#owner, sequence, bytes, nonce, out)) return 0;
    const text = this.#cipher.decrypt(bytes, dataStart, dataEnd);
    if (typeof text === "number") return text;
    const fieldStart = dataStart - 1 - varintSize(dataEnd - dataStart);
    if (bytes[fieldStart] !== DATA_TAG) return this.#rebuild(out, text);
    const fieldSize = text.length === 0 ? 0 : 1 + varintSize(text.length) + text.length;
    const size = fieldStart - start + fieldSize + end - dataEnd;
    this.#decrypted.add(this.#owner, sequence, bytes, nonce, size, out);
    let at = copy(bytes, start, fieldStart, out.bytes, out.start);
    if (text.length > 0) {
      out.bytes[at] = DATA_TAG;
      at = writeVarint(out.bytes, at + 1, text.length);
      out.bytes.set(text, at);
      at += text.length;
    }
    copy(bytes, dataEnd, end, out.bytes, at);
    return 0;
  }

  /** A payload whose length is written in more bytes than it needs: nobody does that, but it can be read. */
  #rebuild(out: StoredMessage, text: Uint8Array): 0 {
    const message = decodeMsgProto(out.bytes, out.start, out.end);
    if (message.kind !== "ok") return 0;
    out.bytes = encodeMsgProto({ ...message.value, data: text });
    out.start = 0;
    out.end = out.bytes.length;
    return 0;
  }
}

interface EncryptedMessage {
  bytes: Uint8Array;
  readonly replyStart: number;
  replyEnd: number;
  dataStart: number;
  dataEnd: number;
}

const NO_BYTES = new Uint8Array(0);

/** Reply and encrypted payload on their way to the log that is wrapped; made anew by each append. */
let room: Uint8Array = new Uint8Array(4096);
const encrypted: EncryptedMessage = { bytes: room, replyStart: 0, replyEnd: 0, dataStart: 0, dataEnd: 0 };

const stored: MsgProtoView = msgProtoView();

/** Everything but the payload is short. */
function copy(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  let to = at;
  for (let i = start; i < end; i++) target[to++] = source[i]!;
  return to;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest >>>= 7) size++;
  return size;
}

function writeVarint(target: Uint8Array, at: number, value: number): number {
  let position = at;
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) target[position++] = (rest & 0x7f) | 0x80;
  target[position] = rest;
  return position + 1;
}
