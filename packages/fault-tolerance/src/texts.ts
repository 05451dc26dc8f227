import { durationFromMillis, formatDuration, quoteName } from "@nats-streaming/kernel";

/**
 * What users and operators are told, to the letter of the original where it has such a text. Server IDs are byte strings
 * off the wire.
 * @see fault-tolerance.md 2, 5 to 8
 */
export const faultToleranceTexts = {
  startingStandby: "Starting in standby mode",
  active: "Server is active",
  /**
   * Another member has the lock. This one stands by and tries again.
   * Remedy: Nothing to do where the other member serves.
   */
  lockBusy: "ft: unable to get store lock at this time, going back to standby",
  /**
   * The lock of the database was taken by another member, because this server stood still. It ends with code 2.
   * Remedy: Start it again: it stands by. Find out why it stood still.
   */
  lockLost: "lost store lock, aborting",
  /** `ft_group` over the memory store. Remedy: Use `-store file` on a shared directory, or `-store sql`. */
  unsupportedStore: "ft: only FILE or SQL stores supported in FT mode",
  /** The file store has no directory. Remedy: Name it: `-dir /var/lib/stan`. */
  noDirectory: "for FILE stores, root directory must be specified",

  /**
   * Whether another member has the lock cannot be found out.
   * Remedy: See that the shared directory or the database can be reached and written to.
   */
  lockFailed: (reason: string): string =>
    `ft: error attempting to get the store lock: ft: fatal error getting the store lock: ${reason}`,
  /**
   * The connection to NATS refuses the subscription to the group's subject.
   * Remedy: See that NATS can be reached, and its permissions.
   */
  subscribeFailed: (reason: string): string => `ft: unable to subscribe on ft subject: ${reason}`,
  /**
   * A heartbeat to the standbys cannot be sent. They try for the lock, which this server keeps.
   * Remedy: Bring NATS back.
   */
  heartbeatFailed: (reason: string): string => `Unable to send FT heartbeat: ${reason}`,
  /**
   * Something on the group's subject is no heartbeat.
   * Remedy: Find out who else uses this subject; name the group otherwise.
   */
  unreadableActivation: (reason: string): string => `Error decoding activation time: ${reason}`,
  /**
   * Another member says that it serves; this one has served longer and goes on.
   * Remedy: The store's lock does not exclude: is the directory on a file system without locks?
   */
  peerActive: (serverId: string): string => `ft: serverID ${quote(serverId)} claims to be active`,
  /**
   * Another member serves, too, and has done so for longer. This one ends with code 2.
   * Remedy: The store's lock does not exclude: is the directory on a file system without locks?
   */
  peerActiveAborting: (serverId: string): string => `ft: serverID ${quote(serverId)} claims to be active, aborting`,

  /**
   * `ft_group` and the clustering options are both given.
   * Remedy: Take one of them out.
   * @remarks Not in the original, which starts and then replicates with nobody.
   */
  withClustering:
    "ft: fault tolerance and clustering exclude each other: take ft_group or the clustering options out of the configuration",
  /**
   * The name of the group cannot be part of a NATS subject.
   * Remedy: As the text says.
   * @remarks Not in the original, whose members would hear other groups, or nobody.
   */
  badGroup: (group: string): string =>
    `ft: group name ${quote(group)} cannot be part of a NATS subject: no white space, no empty part between dots, no part that is * or >`,
  /**
   * Who has the lock, beside another line.
   * Remedy: Nothing to do.
   * @remarks Not in the original.
   */
  lockHolder: (holder: string): string => `ft: the store lock is held by ${holder}`,
  /**
   * The process stood still (paused, swapped out, a long stop of the machine).
   * Remedy: Give the machine what it lacks; members take over from a server that stands still.
   * @remarks Not in the original, which sends at once what it should not say any more.
   */
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
