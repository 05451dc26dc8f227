import {
  encodeClientInfo,
  encodeMapEntry,
  encodePeerMsg,
  MapDetail,
  type MapEntry,
  PeerKind,
  PeerKnowledge,
  type PeerMsg,
  PeerPhase,
} from "@nats-streaming/protocol/spb";
import type { ClientKnowledge, ClientSource } from "./client-source.ts";
import { createSnapshots, fillPage, pageBudget } from "./pages.ts";

/** Answers to what other servers ask; one for each server, since it keeps what pages are cut from. */
export interface PeerAnswers {
  /** @returns undefined for what is not answered. */
  to(question: PeerMsg): Uint8Array | undefined;
  /** What this server says of itself, unasked. @param name a channel in dispute */
  hello(name?: string): Uint8Array;
  bye(): Uint8Array;
}

export interface PeerAnswersOptions {
  readonly serverId: string;
  /** Wall-clock milliseconds since which this server serves; 0 when it does not. */
  since(): number;
  source(): ClientSource;
  /** @param isWhole with the stored channels */
  mapEntries(isWhole: boolean): readonly MapEntry[];
  maxPayload(): number;
}

/** Clients with a longer ID are not handed over: it travels three times in a page. No library makes such. */
const CLIENT_ID_BYTES_MAX = 1_024;

/** Longest cursor of a map: the digits of a place. */
const PLACE_BYTES = 10;

export function createPeerAnswers(options: PeerAnswersOptions): PeerAnswers {
  const { serverId } = options;
  const clientIds = createSnapshots<readonly string[]>();
  const maps = createSnapshots<readonly MapEntry[]>();

  const self = (): Pick<PeerMsg, "serverId" | "phase" | "since"> => {
    const since = options.since();
    return { serverId, phase: since === 0 ? PeerPhase.starting : PeerPhase.serving, since };
  };

  const hello = (name = ""): Uint8Array => {
    const source = options.source();
    const { clientCount } = source;
    return encodePeerMsg({
      ...self(),
      kind: PeerKind.hello,
      clientCount,
      clientDigest: source.clientDigest(),
      cursor: name,
    });
  };

  const clients = (question: PeerMsg): Uint8Array | undefined => {
    const { cursor } = question;
    if (cursor.length > CLIENT_ID_BYTES_MAX) return undefined;
    const source = options.source();
    const ids = clientIds.of(question.serverId, cursor === "", () => source.clientIds());
    const page = fillPage({
      first: firstFrom(ids, cursor),
      count: ids.length,
      budget: pageBudget(options.maxPayload(), CLIENT_ID_BYTES_MAX),
      recordAt(place) {
        const id = ids[place]!;
        const info = id.length > CLIENT_ID_BYTES_MAX ? undefined : source.client(id);
        return info === undefined ? undefined : encodeClientInfo(info);
      },
      cursorOf: (place) => ids[place]!,
    });
    // The question's cursor goes back, so that an answer that comes late is not taken for another one.
    return encodePeerMsg({ ...self(), kind: PeerKind.clients, cursor: page.next, data: page.data, clientId: cursor });
  };

  const lookup = (question: PeerMsg): Uint8Array => {
    const { clientId, connId } = question;
    const found = options.source().knowledge({ clientId, connId });
    const answer = { ...self(), kind: PeerKind.lookup, knowledge: KNOWLEDGE[found.kind] };
    if (found.kind === "unknown" || found.kind === "closed") return encodePeerMsg(answer);
    const bytes = encodePeerMsg({ ...answer, data: encodeClientInfo(found.client) });
    // A record that does not fit was never handed over to anybody either.
    return bytes.length <= options.maxPayload()
      ? bytes
      : encodePeerMsg({ ...answer, knowledge: PeerKnowledge.unknown });
  };

  const map = (question: PeerMsg): Uint8Array => {
    const { cursor } = question;
    const entries = maps.of(question.serverId, cursor === "", () =>
      options.mapEntries(question.detail !== MapDetail.lists),
    );
    const page = fillPage({
      first: placeOf(cursor),
      count: entries.length,
      budget: pageBudget(options.maxPayload(), PLACE_BYTES),
      recordAt: (place) => encodeMapEntry(entries[place]!),
      cursorOf: String,
    });
    return encodePeerMsg({
      ...self(),
      kind: PeerKind.map,
      cursor: page.next,
      data: page.data,
      clientId: cursor.length > PLACE_BYTES ? "" : cursor,
      clientCount: options.source().clientCount,
    });
  };

  return {
    hello,
    bye: () => encodePeerMsg({ ...self(), kind: PeerKind.bye }),
    to(question): Uint8Array | undefined {
      switch (question.kind) {
        case PeerKind.hello:
          return hello();
        case PeerKind.clients:
          return clients(question);
        case PeerKind.lookup:
          return lookup(question);
        case PeerKind.map:
          return map(question);
        default:
          return undefined;
      }
    },
  };
}

const KNOWLEDGE: { readonly [K in ClientKnowledge["kind"]]: number } = {
  unknown: PeerKnowledge.unknown,
  known: PeerKnowledge.known,
  alive: PeerKnowledge.alive,
  closed: PeerKnowledge.closed,
  pending: PeerKnowledge.pending,
};

/** The place of the first ID that is not before `cursor`. */
function firstFrom(ids: readonly string[], cursor: string): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ids[middle]! < cursor) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What is no place is the beginning. */
function placeOf(cursor: string): number {
  return /^\d{1,10}$/.test(cursor) ? Number(cursor) : 0;
}
