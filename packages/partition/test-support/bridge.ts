import type { TestNetwork } from "@nats-streaming/kernel/testing";

/** Joins two networks as a route between their NATS servers does, and tells everybody on both that the other has come. */
export function joinNetworks(left: TestNetwork, right: TestNetwork): void {
  // What is being carried over just now, so that it is not carried back.
  const carried = new Set<string>();
  for (const [from, to] of [
    [left, right],
    [right, left],
  ] as const) {
    const target = to.connect();
    from.connect().subscribe(">", (message) => {
      const key = `${message.subject} ${message.reply}`;
      if (carried.has(key)) return;
      carried.add(key);
      target.publish(message.subject, message.bytes, message.reply, message.start, message.end);
      carried.delete(key);
    });
  }
  left.topologyChanged();
  right.topologyChanged();
}
