import { type Clock, durationFromMillis, formatDuration, type Timer } from "@nats-streaming/kernel";
import type { ChunkPool } from "./chunk-pool.ts";
import type { CloseReason } from "./close-reason.ts";
import { Outgoing, type OutgoingListener } from "./outgoing.ts";
import type { Transport } from "./transport.ts";
import type { Turn } from "./turn.ts";

/** After its last words a link is kept so long, for the peer to read them, before it is torn down. */
export const LINGER_MILLIS = 1_000;

/** So much of what the peer still sends meanwhile is thrown away, so that its system does not discard those words. */
const LINGER_BYTES_MAX = 1_048_576;

export interface LinkOptions {
  readonly clock: Clock;
  readonly pool: ChunkPool;
  readonly turn: Turn;
  readonly transport: Transport;
  /** Most bytes that may wait for the peer. */
  readonly maxPending: number;
  readonly writeDeadlineMillis: number;
  /** The peer does not read what it is sent. The link is to be closed at once. */
  readonly onSlow: (what: string, reason: CloseReason) => void;
}

/** The way out to one peer, a client or another server: what it is owed, how long it may take over it, and how it ends. */
export class Link implements OutgoingListener {
  readonly outgoing: Outgoing;
  #isClosed = false;
  readonly #options: LinkOptions;
  #writeTimer: Timer | undefined;
  #lingerTimer: Timer | undefined;
  #lingerBytes = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.outgoing = new Outgoing(options.pool, options.turn, options.transport, this, options.maxPending);
  }

  /** Nothing more is taken in. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Sends what is pending and then `lastWords`, as far as the peer reads within `lingerMillis`, and closes. False when that was
   * done before.
   */
  close(lastWords?: Uint8Array, lingerMillis: number = LINGER_MILLIS): boolean {
    if (this.#isClosed) return false;
    this.#isClosed = true;
    this.#writeTimer?.cancel();
    if (lastWords !== undefined) this.outgoing.append(lastWords);
    this.outgoing.finish();
    const { transport, clock } = this.#options;
    if (transport.destroyed) return true;
    transport.end();
    transport.resume();
    this.#lingerTimer = clock.setTimer(lingerMillis, () => transport.destroy());
    return true;
  }

  /** Tears the link down; what is pending is forgotten. */
  destroy(): void {
    this.outgoing.discard();
    this.#options.transport.destroy();
  }

  /** The peer has sent so much after the end. */
  ignore(length: number): void {
    this.#lingerBytes += length;
    if (this.#lingerBytes > LINGER_BYTES_MAX) this.#options.transport.destroy();
  }

  /** The transport is gone. */
  gone(): void {
    this.#lingerTimer?.cancel();
  }

  onOverflow(): void {
    this.#slow(`MaxPending of ${this.#options.maxPending} Exceeded`, "Slow Consumer (Pending Bytes)");
  }

  onWriteStarted(): void {
    const { clock, writeDeadlineMillis } = this.#options;
    const deadline = formatDuration(durationFromMillis(writeDeadlineMillis));
    this.#writeTimer = clock.setTimer(writeDeadlineMillis, () => {
      const { inFlightChunks, inFlightBytes } = this.outgoing;
      this.#slow(
        `WriteDeadline of ${deadline} exceeded with ${inFlightChunks} chunks of ${inFlightBytes} total bytes.`,
        "Slow Consumer (Write Deadline)",
      );
    });
  }

  onWriteFinished(): void {
    this.#writeTimer?.cancel();
  }

  #slow(what: string, reason: CloseReason): void {
    if (this.#isClosed) return;
    // Nothing more can be told to a peer that does not read.
    this.outgoing.discard();
    this.#options.onSlow(what, reason);
    this.#options.transport.destroy();
  }
}
