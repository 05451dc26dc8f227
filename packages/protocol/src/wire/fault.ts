/**
 * What can be wrong with an encoded message. 0 is "nothing", so that a hot decoder returns one small number.
 * Functions that otherwise return a position return a fault negated.
 * @see protocol.md 4.2
 */
export const WireFault = {
  none: 0,
  /** The message ends inside a field, or a length points beyond its end. */
  truncated: 1,
  /** A varint of more than ten bytes. */
  varintTooLong: 2,
  /** A known field that comes with another wire type than its own. */
  wrongWireType: 3,
  /** Field number 0, or one that is negative as an int32. */
  illegalFieldNumber: 4,
  /** Wire type 6 or 7, which do not exist. */
  illegalWireType: 5,
  /** The end of a group that was never begun. */
  strayEndGroup: 6,
  /** An identifier or sequence above 2^53 - 1 in a record of a store. */
  numberTooLarge: 7,
} as const;
export type WireFault = (typeof WireFault)[keyof typeof WireFault];

/** A decoded message, or why it is none together with the fields that stood before the fault. */
export type Decoded<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "invalid"; readonly reason: string; readonly partial: T };

/** A fault in words, fit for a log line. */
export function wireFaultText(fault: WireFault): string {
  switch (fault) {
    case WireFault.none:
      return "no fault";
    case WireFault.truncated:
      return "unexpected end of message";
    case WireFault.varintTooLong:
      return "varint of more than ten bytes";
    case WireFault.wrongWireType:
      return "known field with the wrong wire type";
    case WireFault.illegalFieldNumber:
      return "illegal field number";
    case WireFault.illegalWireType:
      return "illegal wire type";
    case WireFault.strayEndGroup:
      return "end of a group that was not begun";
    case WireFault.numberTooLarge:
      return "number above 2^53 - 1";
  }
}
