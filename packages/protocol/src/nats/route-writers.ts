/** The account that everybody belongs to who was given none. */
export const GLOBAL_ACCOUNT = "$G";

/**
 * `RS+ $G subject [queue weight]`: the server has somebody who listens.
 * @param subject one character per byte, as `queue`.
 */
export function encodeInterestGained(subject: string, queue: string, weight: number): Uint8Array {
  return line(`RS+ ${GLOBAL_ACCOUNT} ${subject}${queue === "" ? "" : ` ${queue} ${weight}`}`);
}

/** `RS- $G subject [queue]`: it has nobody any more. */
export function encodeInterestLost(subject: string, queue: string): Uint8Array {
  return line(`RS- ${GLOBAL_ACCOUNT} ${subject}${queue === "" ? "" : ` ${queue}`}`);
}

function line(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(`${text}\r\n`, "latin1"));
}
