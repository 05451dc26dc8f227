import { sequence } from "@nats-streaming/kernel";
import type { MessageLog, Store } from "@nats-streaming/store";
import { StoreError } from "@nats-streaming/store";
import type { SqlServer } from "./server-process.ts";

/** Publishes to some channels as a server does, and remembers what it was told. */
export interface Load {
  /** Appends a batch to every channel and flushes. @returns whether it was acknowledged */
  publish(): Promise<boolean>;
  /** Payloads that were acknowledged, by channel; the place is the sequence less 1. */
  readonly acknowledged: ReadonlyMap<string, readonly string[]>;
  readonly refusedBatches: number;
}

const CHANNELS = ["one", "two", "three"];
const MESSAGES_PER_BATCH = 40;

export function startLoad(store: Store): Load {
  const logs = new Map<string, MessageLog>();
  const acknowledged = new Map<string, string[]>();
  for (const channel of CHANNELS) {
    logs.set(channel, store.createChannel(channel).messages);
    acknowledged.set(channel, []);
  }
  let payloads = 0;
  let refusedBatches = 0;
  return {
    acknowledged,
    get refusedBatches(): number {
      return refusedBatches;
    },
    async publish(): Promise<boolean> {
      const batch: (readonly [string, string])[] = [];
      for (const [channel, log] of logs) {
        const known = acknowledged.get(channel)?.length;
        // What was refused is taken back: sequences go on behind what was acknowledged.
        if (log.lastSequence !== known) throw new Error(`${channel} goes on at ${log.lastSequence}, not ${known}`);
        for (let i = 0; i < MESSAGES_PER_BATCH; i++) {
          const payload = `payload-${++payloads}-${"x".repeat(100)}`;
          appendPayload(log, payload);
          batch.push([channel, payload]);
        }
      }
      try {
        await store.flush();
      } catch (error) {
        if (!(error instanceof StoreError) || error.code !== "write_failed") throw error;
        refusedBatches++;
        return false;
      }
      for (const [channel, payload] of batch) acknowledged.get(channel)?.push(payload);
      return true;
    },
  };
}

export function appendPayload(log: MessageLog, payload: string): void {
  const bytes = Buffer.from(payload);
  const message = { bytes, replyStart: 0, replyEnd: 0, dataStart: 0, dataEnd: bytes.length };
  log.append(sequence(log.lastSequence + 1), message, { millis: 1_700_000_000_000 + log.lastSequence, nanos: 1 });
}

/** Payloads that the tables hold, by channel and in order of sequence; fails when a sequence is left out. */
export async function storedPayloads(server: SqlServer, database: string): Promise<Map<string, string[]>> {
  const stored = new Map<string, string[]>();
  for (const [id, name] of await server.query(database, "SELECT id, name FROM Channels ORDER BY id")) {
    const rows = await server.query(database, `SELECT seq, data FROM Messages WHERE id = ${Number(id)} ORDER BY seq`);
    stored.set(
      String(name),
      rows.map(([seq, data], i) => {
        if (Number(seq) !== i + 1) throw new Error(`sequence ${i + 1} of ${name} is missing: ${seq} is there`);
        const text = data instanceof Uint8Array ? Buffer.from(data).toString("latin1") : "";
        return /payload-\d+-x+/.exec(text)?.[0] ?? text;
      }),
    );
  }
  return stored;
}
