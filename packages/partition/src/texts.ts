import { byteStringToText, textToByteString } from "@nats-streaming/protocol";
import { quoteByteString } from "@nats-streaming/protocol/stan";

/**
 * What users and operators are told, to the letter of the original where it has such a text.
 * Names are byte strings where they come off the wire; the results are text for people.
 * @see partitioning.md 3 and 6
 */
export const partitionTexts = {
  /**
   * `partitioning` is on and no channel is listed. The server does not start.
   * Remedy: List the channels of this server: `store_limits { channels { foo: {} } }`.
   */
  noConfiguredChannel: "stan: no configured channel",
  /**
   * An entry of the list does not fit into a message of the NATS server.
   * Remedy: Raise `max_payload` of the NATS server.
   */
  payloadTooSmall: "unable to send channels list: message payload too small to send channels list",

  /**
   * An entry of the list is no channel name and no pattern.
   * Remedy: Correct it: no white space, no empty part between dots; `>` stands last.
   */
  invalidChannel: (entry: string): string => `invalid channel name ${quoteText(entry)}`,

  /**
   * Another server of the cluster lists a channel that this one lists too. The server that came later does not start,
   * or ends.
   * Remedy: Take the entry off one of the lists; `nats-streaming-server partitions` shows whose is whose.
   */
  conflict: (name: string, serverId: string): string =>
    `channel ${quote(name)} causes conflict with channels on server ${quote(serverId)}`,

  /**
   * Two serving servers have found out late that their lists overlap, such as after a network was cut in two.
   * Remedy: See docs/operations-handbook.md#two-servers-claim-one-channel.
   */
  lateConflict: (message: string): string => `Partitioning error: ${message}`,

  /**
   * The connection to NATS refuses the subscription to the subjects among servers.
   * Remedy: See that NATS can be reached, and that its permissions allow `_STAN.>`.
   */
  subscribeFailed: (reason: string): string => `unable to subscribe: ${reason}`,
  /**
   * The list of channels cannot be sent to the other servers.
   * Remedy: See that NATS can be reached, and that its permissions allow `_STAN.>`.
   */
  sendFailed: (reason: string): string => `unable to send channels list: ${reason}`,
  /**
   * The answers of the other servers cannot be received.
   * Remedy: See that NATS can be reached, and that its permissions allow `_INBOX.>`.
   */
  replyFailed: (reason: string): string => `unable to get partitioning reply: ${reason}`,
  /**
   * Something on the subjects among servers is no answer.
   * Remedy: Find out who else uses these subjects; give the cluster another ID.
   */
  undecodableReply: (reason: string): string => `unable to decode partitioning response: ${reason}`,
  /**
   * Something on the subjects among servers is no list.
   * Remedy: Find out who else uses these subjects; give the cluster another ID.
   */
  requestFailed: (reason: string): string => `Error processing partitioning request: ${reason}`,
  /** An answer to another server cannot be sent; that one asks again. Remedy: See that NATS can be reached. */
  answerFailed: (reason: string): string => `Error sending reply to partitioning request: ${reason}`,

  /**
   * A newcomer with an overlapping list was turned away. This server goes on serving.
   * Remedy: Correct the list of the newcomer.
   * @remarks Not in the original, which leaves no trace of whom it refused.
   */
  peerRefused: (name: string, serverId: string): string =>
    `Partitioning: refused server ${quote(cut(serverId))}: its channels overlap those of this server in ${quote(cut(name))}`,

  /**
   * A server without `partitioning` has the same cluster ID: it serves every channel.
   * Remedy: Stop it, or give one of the two another cluster ID.
   * @remarks As the original says when it is started second.
   */
  unpartitionedServer: (clusterId: string): string =>
    `discovered another streaming server with cluster ID ${quoteText(clusterId)}, which is not partitioned: ` +
    "stop it, or give this one another cluster ID",
  /**
   * This server has no `partitioning`, and partition servers have its cluster ID.
   * Remedy: Stop it, or give one of the two another cluster ID, or make this one a partition, too.
   */
  partitionedServer: (clusterId: string): string =>
    `discovered another streaming server with cluster ID ${quoteText(clusterId)}, which is partitioned: ` +
    "stop it, or give this one another cluster ID",

  /**
   * The list of a standby overlaps that of a server that is not of its group.
   * Remedy: Correct the file of the standby to what the active has.
   * @remarks Not in the original, which finds out when the active server has failed.
   */
  standbyConflict: (message: string): string =>
    `Partitioning: ${message}; this standby will not be able to serve when it becomes active`,

  /**
   * A reload changes the list of a server that is not yet serving.
   * Remedy: Change the file and start it again.
   * @remarks Not in the original, whose list cannot be changed.
   */
  notServing: "this server does not serve yet; change its list in the configuration and start it again",
  /** A reload changes the list of a standby that becomes active. Remedy: Reload again when it serves. */
  takingOver: "this server has just begun to take over; try again when it serves",
  /** A reload changes the list of a server that is being stopped. Remedy: None is needed. */
  stopping: "this server is stopping",
  /** Two reloads follow each other too fast. Remedy: Reload again when the first is done. */
  proposalUnderWay: "another change of the channel list is under way; try again when it is done",
  /** A reload changes the list while NATS cannot be reached. Remedy: Reload again when NATS is back. */
  proposalCutOff: "the connection to NATS is down, so the other servers cannot be asked; try again when it is back",

  /**
   * After a change of the network the list could not be sent again.
   * Remedy: Look at the reason that it names; the next change sends the list again.
   * @remarks Not in the original, which exits.
   */
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
