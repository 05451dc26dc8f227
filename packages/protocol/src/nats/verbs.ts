/**
 * The verbs of the line protocol as a table of transitions, so that a wrong byte is noticed as it arrives, at whatever
 * place the input was cut: `GE` is refused at once, without waiting for the end of a line.
 *
 *     state 0 --'P'--> 1 --'U'--> 2 --'B'--> accepted: PUB
 *                        --'I'--> 3 --'N'--> 4 --'G'--> accepted: PING
 */

export type Verb =
  | "CONNECT"
  | "PUB"
  | "HPUB"
  | "SUB"
  | "UNSUB"
  | "PING"
  | "PONG"
  | "+OK"
  | "-ERR"
  | "INFO"
  | "MSG"
  | "HMSG"
  | "RMSG"
  | "RS+"
  | "RS-"
  | "LS+"
  | "LS-"
  | "A+"
  | "A-";

/**
 * Whose bytes are parsed: those of a client, as a server reads them; those of a server, as a client reads them; or those of
 * the other server of a route.
 */
export type Side = "client" | "server" | "route";

/** The verbs in the order of their numbers. */
export const VERBS: readonly Verb[] = [
  "CONNECT",
  "PUB",
  "HPUB",
  "SUB",
  "UNSUB",
  "PING",
  "PONG",
  "+OK",
  "-ERR",
  "INFO",
  "MSG",
  "HMSG",
  "RMSG",
  "RS+",
  "RS-",
  "LS+",
  "LS-",
  "A+",
  "A-",
];

export const CONNECT = 0;
export const PUB = 1;
export const HPUB = 2;
export const SUB = 3;
export const UNSUB = 4;
export const PING = 5;
export const PONG = 6;
export const OK = 7;
export const ERR = 8;
export const INFO = 9;
export const MSG = 10;
export const HMSG = 11;
export const RMSG = 12;
export const INTEREST_GAINED = 13;
export const INTEREST_LOST = 14;

const VERBS_OF_SIDE: Readonly<Record<Side, readonly Verb[]>> = {
  client: ["CONNECT", "PUB", "HPUB", "SUB", "UNSUB", "PING", "PONG", "+OK", "-ERR", "INFO"],
  server: ["INFO", "MSG", "HMSG", "PING", "PONG", "+OK", "-ERR"],
  // Interest of leaf nodes and of accounts is read only to be passed over.
  route: ["CONNECT", "INFO", "RMSG", "HMSG", "RS+", "RS-", "PING", "PONG", "+OK", "-ERR", "LS+", "LS-", "A+", "A-"],
};

/** In a table: this byte cannot follow. State 0 is the start, so no transition leads to it. */
export const REFUSED = 0;

/** In a table: the verb is complete; its number is what is left after subtracting this. */
export const ACCEPTED = 0x80;

/** `next = table[(state << 8) | byte]`: {@link REFUSED}, a state, or {@link ACCEPTED} plus the verb's number. */
export type VerbTable = Uint8Array;

const TABLES: Readonly<Record<Side, VerbTable>> = {
  client: buildTable(VERBS_OF_SIDE.client),
  server: buildTable(VERBS_OF_SIDE.server),
  route: buildTable(VERBS_OF_SIDE.route),
};

/** The transitions for one side's verbs, in either case of letters. */
export function verbTable(side: Side): VerbTable {
  return TABLES[side];
}

function buildTable(verbs: readonly Verb[]): VerbTable {
  const states = new Map<string, number>([["", 0]]);
  for (const verb of verbs) {
    for (let length = 1; length < verb.length; length++) {
      const prefix = verb.slice(0, length);
      if (!states.has(prefix)) states.set(prefix, states.size);
    }
  }
  const table = new Uint8Array(states.size * 256);
  for (const verb of verbs) {
    for (let length = 1; length <= verb.length; length++) {
      const from = states.get(verb.slice(0, length - 1)) ?? 0;
      const to = length === verb.length ? ACCEPTED + VERBS.indexOf(verb) : (states.get(verb.slice(0, length)) ?? 0);
      table[(from << 8) | verb.charCodeAt(length - 1)] = to;
      table[(from << 8) | verb.toLowerCase().charCodeAt(length - 1)] = to;
    }
  }
  return table;
}
