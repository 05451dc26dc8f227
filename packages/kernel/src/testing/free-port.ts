import { createServer } from "node:net";

/**
 * Below the range from which the system takes ports for outgoing connections, so that none of those is in the way, and above
 * the last port that `fetch` refuses, which is 10080.
 */
const FIRST = 11_000;
const COUNT = 19_000;

/** Runs and workers that go on at the same time start at different places. */
let next = (process.pid * 97) % COUNT;

/**
 * A TCP port of 127.0.0.1 on which nobody listens now, and which this process will not hand out again soon: for programs
 * that cannot be given port 0 because they have to come back on the same one.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < COUNT; tries++) {
    const port = FIRST + next;
    next = (next + 1) % COUNT;
    if (await isFree(port)) return port;
  }
  throw new Error(`no free TCP port from ${FIRST} to ${FIRST + COUNT - 1}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}
