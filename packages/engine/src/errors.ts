/** Texts that only the engine uses; those of the error catalogue are in `@nats-streaming/protocol/stan`. */

/** A publish that no subscriber could ever receive. Our own text: the original stores it and stalls. @see protocol.md 18 PK7 */
export function messageTooLarge(size: number, limit: number): string {
  return `stan: message of ${size} bytes cannot be delivered within the maximum payload of ${limit} bytes`;
}
