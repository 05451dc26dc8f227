import { byteStringToText, textToByteString } from "@nats-streaming/protocol";
import { quoteByteString } from "@nats-streaming/protocol/stan";

/**
 * What users and operators are told, to the letter of the original where it has such a text.
 * Names are byte strings where they come off the wire; the results are text for people.
 * @see partitioning.md 3 and 6
 */
export const partitionTexts = {
  noConfiguredChannel: "stan: no configured channel",
  payloadTooSmall: "unable to send channels list: message payload too small to send channels list",

  invalidChannel: (entry: string): string => `invalid channel name ${quoteText(entry)}`,

  conflict: (name: string, serverId: string): string =>
    `channel ${quote(name)} causes conflict with channels on server ${quote(serverId)}`,

  /** In front of what a serving server finds out too late. */
  lateConflict: (message: string): string => `Partitioning error: ${message}`,

  subscribeFailed: (reason: string): string => `unable to subscribe: ${reason}`,
  sendFailed: (reason: string): string => `unable to send channels list: ${reason}`,
  replyFailed: (reason: string): string => `unable to get partitioning reply: ${reason}`,
  undecodableReply: (reason: string): string => `unable to decode partitioning response: ${reason}`,
  requestFailed: (reason: string): string => `Error processing partitioning request: ${reason}`,
  answerFailed: (reason: string): string => `Error sending reply to partitioning request: ${reason}`,

  /** Not in the original, which leaves no trace of whom it refused. */
  peerRefused: (name: string, serverId: string): string =>
    `Partitioning: refused server ${quote(cut(serverId))}: its channels overlap those of this server in ${quote(cut(name))}`,

  /** As the original says when it is started second. */
  unpartitionedServer: (clusterId: string): string =>
    `discovered another streaming server with cluster ID ${quoteText(clusterId)}, which is not partitioned: ` +
    "stop it, or give this one another cluster ID",
  partitionedServer: (clusterId: string): string =>
    `discovered another streaming server with cluster ID ${quoteText(clusterId)}, which is partitioned: ` +
    "stop it, or give this one another cluster ID",

  /** Not in the original, which finds out when the active server has failed. */
  standbyConflict: (message: string): string =>
    `Partitioning: ${message}; this standby will not be able to serve when it becomes active`,

  /** Not in the original, whose list cannot be changed. */
  notServing: "this server does not serve yet; change its list in the configuration and start it again",
  proposalUnderWay: "another change of the channel list is under way; try again when it is done",
  proposalCutOff: "the connection to NATS is down, so the other servers cannot be asked; try again when it is back",

  /** Not in the original, which exits. */
  recheckFailed: (message: string): string =>
    `Partitioning: ${message}; channels that another server lists too will not be noticed before the next change of the network`,
} as const;

/** Characters of a peer's name that a log line of ours takes; the rest of a forged one is of no use. */
const SHOWN_LENGTH_MAX = 256;

function cut(name: string): string {
  return name.length <= SHOWN_LENGTH_MAX ? name : `${name.slice(0, SHOWN_LENGTH_MAX)}...`;
}

function quote(name: string): string {
  return byteStringToText(quoteByteString(name));
}

function quoteText(name: string): string {
  return quote(textToByteString(name));
}
