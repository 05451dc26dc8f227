import { durationFromMillis, formatDuration, quoteName } from "@nats-streaming/kernel";

/**
 * What users and operators are told, to the letter of the original where it has such a text. Server IDs are byte strings
 * off the wire.
 * @see fault-tolerance.md 2, 5 to 8
 */
export const faultToleranceTexts = {
  startingStandby: "Starting in standby mode",
  active: "Server is active",
  lockBusy: "ft: unable to get store lock at this time, going back to standby",
  lockLost: "lost store lock, aborting",
  unsupportedStore: "ft: only FILE or SQL stores supported in FT mode",
  noDirectory: "for FILE stores, root directory must be specified",

  lockFailed: (reason: string): string =>
    `ft: error attempting to get the store lock: ft: fatal error getting the store lock: ${reason}`,
  subscribeFailed: (reason: string): string => `ft: unable to subscribe on ft subject: ${reason}`,
  heartbeatFailed: (reason: string): string => `Unable to send FT heartbeat: ${reason}`,
  unreadableActivation: (reason: string): string => `Error decoding activation time: ${reason}`,
  peerActive: (serverId: string): string => `ft: serverID ${quote(serverId)} claims to be active`,
  peerActiveAborting: (serverId: string): string => `ft: serverID ${quote(serverId)} claims to be active, aborting`,

  /** Not in the original, which starts and then replicates with nobody. */
  withClustering:
    "ft: fault tolerance and clustering exclude each other: take ft_group or the clustering options out of the configuration",
  /** Not in the original, whose members would hear other groups, or nobody. */
  badGroup: (group: string): string =>
    `ft: group name ${quote(group)} cannot be part of a NATS subject: no white space, no empty part between dots, no part that is * or >`,
  /** Not in the original. */
  lockHolder: (holder: string): string => `ft: the store lock is held by ${holder}`,
  /** Not in the original, which sends at once what it should not say any more. */
  heldUp: (lateMillis: number, waitMillis: number): string =>
    `ft: this server stood still for ${inWords(lateMillis)}; its heartbeats resume in ${inWords(waitMillis)}, unless the store lock is lost`,
} as const;

/** Characters of a peer's name that a log line takes; the rest of a forged one is of no use. */
const SHOWN_LENGTH_MAX = 256;

function quote(name: string): string {
  return quoteName(name.length <= SHOWN_LENGTH_MAX ? name : `${name.slice(0, SHOWN_LENGTH_MAX)}...`);
}

function inWords(millis: number): string {
  return formatDuration(durationFromMillis(Math.round(millis)));
}
