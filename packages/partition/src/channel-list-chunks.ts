import { CtrlMsgType, channelListEntrySize, encodeChannelList, encodeCtrlMsg } from "@nats-streaming/protocol/spb";

export type ChunkOutcome =
  /** Whole requests, to be published one after the other. */
  | { readonly kind: "chunks"; readonly chunks: readonly Uint8Array[] }
  /** A name that no message can carry. */
  | { readonly kind: "too_small"; readonly name: string };

/** The length of a name travels in two bytes. NATS takes no subject that long, so nobody meets it. */
const NAME_BYTES_MAX = 65_535;

/** What the original reserves for the field with the names: its tag and the longest length. */
const FIELD_RESERVE = 9;

/**
 * A channel list as requests, each complete in itself and within `maxPayload` bytes; every name is in exactly one of
 * them, in order. A request holds at least one name, so a name of n bytes needs a payload of 37 + n bytes.
 * @param names byte strings, at least one
 * @param refId goes along in each request; servers do not send one
 * @see partitioning.md 6.2
 */
export function chunkChannelList(
  serverId: string,
  names: readonly string[],
  maxPayload: number,
  refId = "",
): ChunkOutcome {
  const header = { msgType: CtrlMsgType.partitioning, serverId, refId };
  const empty = encodeCtrlMsg(header).length + FIELD_RESERVE;
  const chunks: Uint8Array[] = [];
  const close = (from: number, to: number): void => {
    chunks.push(encodeCtrlMsg({ ...header, data: encodeChannelList(names.slice(from, to)) }));
  };

  let first = 0;
  let size = empty;
  for (const [place, name] of names.entries()) {
    const added = channelListEntrySize(name);
    if (empty + added > maxPayload || name.length > NAME_BYTES_MAX) return { kind: "too_small", name };
    if (size + added > maxPayload) {
      close(first, place);
      first = place;
      size = empty;
    }
    size += added;
  }
  close(first, names.length);
  return { kind: "chunks", chunks };
}
