/** What the load generator is asked to do. Both sides of the pipe between the bench and the generator know only this. */
export interface Job {
  /** `stan`: through the streaming protocol. `relay`: the same NATS messages from publisher to subscriber, no more. */
  readonly kind: "stan" | "relay";
  readonly port: number;
  /** Publishers; each has a connection and channels of its own. */
  readonly publishers: number;
  /** Channels that each publisher takes turns with. Subscribers want one. */
  readonly channelsPerPublisher: number;
  /** Unacknowledged messages of a publisher at most; 1 publishes synchronously. */
  readonly window: number;
  /** Subscribers on each channel; each has a connection of its own and acknowledges everything. */
  readonly subscribersPerChannel: number;
  /** Messages of all publishers together. */
  readonly messages: number;
  /** Bytes of data in each message. */
  readonly payloadBytes: number;
  /** Distinguishes the channels and clients of one job from those of another on the same server. */
  readonly tag: string;
}

/** Unacknowledged messages of one publisher at most, as the client libraries have it. */
export const WINDOW = 16_384;

/** From the generator: it is connected and registered; it has ended its work; it cannot go on. */
export type Report =
  | { readonly kind: "ready" }
  | { readonly kind: "done"; readonly outcome: Outcome }
  | { readonly kind: "failed"; readonly reason: string };

export interface Outcome {
  readonly published: number;
  readonly delivered: number;
  /** From the first publish until everything was acknowledged and delivered. */
  readonly seconds: number;
  /** CPU seconds of the generator in that time: near `seconds`, it was the bottleneck itself. */
  readonly generatorCpuSeconds: number;
}

/** To the generator: begin. */
export const GO = "go";
