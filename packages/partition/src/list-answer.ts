import { type ChannelListRequest, readChannelListRequest } from "./answering.ts";
import type { ConflictSearch } from "./conflict-search.ts";

/** What a server does about a list that has come. Strings are byte strings. */
export type ListAnswer =
  | { readonly kind: "ignore" }
  | { readonly kind: "unreadable"; readonly reason: string }
  /** It only asks. `conflict` is empty for none. */
  | { readonly kind: "tell"; readonly conflict: string }
  /** It leaves this server's list alone. */
  | { readonly kind: "accept"; readonly serverId: string; readonly names: readonly string[] }
  | { readonly kind: "object"; readonly serverId: string; readonly conflict: string }
  /** It overlaps, and this server is not in a position to object: says nothing. */
  | { readonly kind: "rival"; readonly serverId: string }
  /** It overlaps what this server is about to add to its list, and the other one comes first. */
  | { readonly kind: "withdraw"; readonly serverId: string; readonly conflict: string };

/** What decides over the answer. */
export interface Answering {
  readonly serverId: string;
  /** Of the list that counts. */
  readonly search: ConflictSearch;
  /** Of what is being added to it; undefined when nothing is. */
  readonly added: ConflictSearch | undefined;
  /**
   * Whether an overlapping list is objected to. A server in its first round does not: the other one may be serving
   * already, and would die of it. It lets the other one pass and repeats its own check, to which that one objects.
   * @see partitioning.md 8
   */
  readonly mayObject: boolean;
}

export function answerToList(payload: Uint8Array, reply: string, own: Answering): ListAnswer {
  const request: ChannelListRequest = readChannelListRequest(payload, reply, own.serverId);
  if (request.kind === "ignored") return { kind: "ignore" };
  if (request.kind === "unreadable") return request;
  const { serverId, channels: names } = request;
  const conflict = own.search.find(names);
  if (request.isProbe) return { kind: "tell", conflict: conflict ?? "" };
  if (conflict !== undefined) {
    return own.mayObject ? { kind: "object", serverId, conflict } : { kind: "rival", serverId };
  }
  // Two servers that want the same channel at the same moment: the lower server ID gets it, the other one lets it go.
  const wanted = own.added?.find(names);
  if (wanted === undefined) return { kind: "accept", serverId, names };
  return { kind: own.serverId < serverId ? "object" : "withdraw", serverId, conflict: wanted };
}
