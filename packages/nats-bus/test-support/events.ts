import type { Bus, BusStatus } from "@nats-streaming/kernel";

/** Settles with the next change of the connection to `kind`. */
export function nextStatus<K extends BusStatus["kind"]>(bus: Bus, kind: K): Promise<BusStatus & { kind: K }> {
  return new Promise((resolve) => {
    bus.onStatus((status) => {
      if (status.kind === kind) resolve(status as BusStatus & { kind: K });
    });
  });
}

/** Settles when the network changed. */
export function nextTopologyChange(bus: Bus): Promise<void> {
  return new Promise((resolve) => bus.onTopologyChange(resolve));
}

/** Messages of a subscription as text, in their order, and a way to wait for so many. */
export class Inbox {
  readonly messages: string[] = [];
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(bus: Bus, subject: string, options: { readonly queue?: string } = {}) {
    bus.subscribe(
      subject,
      (message) => {
        const payload = Buffer.from(message.bytes.subarray(message.start, message.end)).toString("latin1");
        this.messages.push(`${message.subject}|${message.reply}|${payload}`);
        const settled = this.#waiting.filter(({ count }) => this.messages.length >= count);
        this.#waiting = this.#waiting.filter((entry) => !settled.includes(entry));
        for (const { resolve } of settled) resolve();
      },
      options,
    );
  }

  has(count: number): Promise<void> {
    if (this.messages.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }
}

/** Bytes of ASCII text. */
export function ascii(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}
