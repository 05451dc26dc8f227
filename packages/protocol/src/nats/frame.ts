/**
 * A message as it lies in the parser's input. One object per parser, overwritten by the next message: a handler that keeps
 * something copies it before it returns. All places are offsets into `bytes`; an absent part has start === end.
 *
 *     HPUB orders.new _INBOX.7 12 17\r\nNATS/1.0\r\n\r\nhello\r\n
 *          '--------' '------'    ''    '--------------''---'
 *          subject    reply       size  payload: headers, then the body
 */
export interface MessageFrame {
  readonly bytes: Uint8Array;
  /** A view of exactly the same memory with the same offsets, for reads wider than a byte. */
  readonly view: DataView;
  readonly subjectStart: number;
  readonly subjectEnd: number;
  readonly replyStart: number;
  readonly replyEnd: number;
  /** `MSG` and `HMSG` only. */
  readonly sidStart: number;
  readonly sidEnd: number;
  /** Routes only: the account, and the names of the queue groups of which a member is to get the message. */
  readonly accountStart: number;
  readonly accountEnd: number;
  readonly queuesStart: number;
  readonly queuesEnd: number;
  /** The total size as the sender wrote it; relays repeat these digits. */
  readonly sizeStart: number;
  readonly sizeEnd: number;
  /** Bytes of headers at the front of the payload; -1 when the operation carries none (`PUB`, `MSG`). */
  readonly headerSize: number;
  /** That number as the sender wrote it. */
  readonly headerSizeStart: number;
  readonly headerSizeEnd: number;
  /** The payload, headers included, is `bytes[payloadStart, payloadEnd)`. */
  readonly payloadStart: number;
  readonly payloadEnd: number;
  /**
   * Messages of one parser with the same number have, byte for byte, the same subject and reply, so that what was looked up
   * for one holds for the other. Counts up; most publishers stay at one number.
   */
  readonly series: number;
  /**
   * Where the rest of the operation behind the subject (and, in `MSG`, the sid) begins, when all of it up to `payloadEnd + 2`
   * is written as a server would write it: `[reply ]size\r\npayload\r\n`. Else -1.
   */
  readonly tailStart: number;
}

/** The same, as the parser writes it. */
export interface MutableFrame {
  bytes: Uint8Array;
  view: DataView;
  subjectStart: number;
  subjectEnd: number;
  replyStart: number;
  replyEnd: number;
  sidStart: number;
  sidEnd: number;
  accountStart: number;
  accountEnd: number;
  queuesStart: number;
  queuesEnd: number;
  sizeStart: number;
  sizeEnd: number;
  headerSize: number;
  headerSizeStart: number;
  headerSizeEnd: number;
  payloadStart: number;
  payloadEnd: number;
  series: number;
  tailStart: number;
}

export const NO_BYTES: Uint8Array = new Uint8Array(0);

export function emptyFrame(): MutableFrame {
  return {
    bytes: NO_BYTES,
    view: new DataView(NO_BYTES.buffer),
    subjectStart: 0,
    subjectEnd: 0,
    replyStart: 0,
    replyEnd: 0,
    sidStart: 0,
    sidEnd: 0,
    accountStart: 0,
    accountEnd: 0,
    queuesStart: 0,
    queuesEnd: 0,
    sizeStart: 0,
    sizeEnd: 0,
    headerSize: -1,
    headerSizeStart: 0,
    headerSizeEnd: 0,
    payloadStart: 0,
    payloadEnd: 0,
    series: 0,
    tailStart: -1,
  };
}

/** `SUB subject [queue] sid`, in place as {@link MessageFrame}. */
export interface SubscribeFrame {
  readonly bytes: Uint8Array;
  readonly subjectStart: number;
  readonly subjectEnd: number;
  readonly queueStart: number;
  readonly queueEnd: number;
  readonly sidStart: number;
  readonly sidEnd: number;
}

/** `UNSUB sid [max]`, in place as {@link MessageFrame}. */
export interface UnsubscribeFrame {
  readonly bytes: Uint8Array;
  readonly sidStart: number;
  readonly sidEnd: number;
  /** After how many messages in all the subscription ends; 0 or less: now. An unreadable number counts as -1. */
  readonly max: number;
}

/** `RS+ account subject [queue weight]` and `RS- account subject [queue]`, in place as {@link MessageFrame}. */
export interface InterestFrame {
  readonly bytes: Uint8Array;
  readonly accountStart: number;
  readonly accountEnd: number;
  readonly subjectStart: number;
  readonly subjectEnd: number;
  readonly queueStart: number;
  readonly queueEnd: number;
  /** How many members the queue group has on the other server; 1 without a queue group, 0 when the interest is over. */
  readonly weight: number;
}
