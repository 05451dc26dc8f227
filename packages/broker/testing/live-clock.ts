import { FakeClock } from "@nats-streaming/kernel/testing";

/** A fake clock among real sockets: time stands still until it is moved, turns end by themselves. */
export class LiveClock extends FakeClock {
  override defer(callback: () => void): void {
    setImmediate(callback);
  }
}
