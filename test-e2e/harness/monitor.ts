import { STEP_MILLIS } from "./mailbox.ts";

/** What a channel is said to hold. @see monitoring.md 6 */
export interface ChannelState {
  readonly name: string;
  readonly msgs: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly subscriptions: number;
}

/** The HTTP endpoints of one server. */
export interface Monitor {
  /** The JSON object behind `/streaming/<path>`; anything but status 200 fails. */
  get(path: string): Promise<Record<string, unknown>>;
  /** The text of `/metrics`. */
  metrics(): Promise<string>;
  /** Names of the existing channels, sorted. */
  channelNames(): Promise<string[]>;
  channel(name: string): Promise<ChannelState>;
  /** IDs of the registered clients, sorted. */
  clientIds(): Promise<string[]>;
}

export function monitorAt(port: number): Monitor {
  const ask = async (path: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(STEP_MILLIS) });
    const body = await response.text();
    if (response.status !== 200) throw new Error(`${path}: status ${response.status}: ${body}`);
    return body;
  };
  const get = async (path: string): Promise<Record<string, unknown>> =>
    asRecord(JSON.parse(await ask(`/streaming/${path}`)), path);
  return {
    get,
    metrics: () => ask("/metrics"),
    async channelNames(): Promise<string[]> {
      const { names } = await get("channelsz");
      return asArray(names ?? [], "names").map(String);
    },
    async channel(name: string): Promise<ChannelState> {
      const state = await get(`channelsz?channel=${encodeURIComponent(name)}&subs=1`);
      return {
        name: String(state["name"]),
        msgs: asNumber(state["msgs"], "msgs"),
        firstSequence: asNumber(state["first_seq"], "first_seq"),
        lastSequence: asNumber(state["last_seq"], "last_seq"),
        subscriptions: asArray(state["subscriptions"] ?? [], "subscriptions").length,
      };
    },
    async clientIds(): Promise<string[]> {
      const { clients } = await get("clientsz");
      return asArray(clients, "clients").map((client) => String(asRecord(client, "client")["id"]));
    },
  };
}

function asRecord(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${what} is no object`);
  return Object.fromEntries(Object.entries(value));
}

function asArray(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw new Error(`${what} is no array`);
  return value;
}

function asNumber(value: unknown, what: string): number {
  if (typeof value !== "number") throw new Error(`${what} is no number`);
  return value;
}
