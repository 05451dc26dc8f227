/** The thread that has the database, so that a commit never blocks the server's. */
import { parentPort } from "node:worker_threads";
import { invariant } from "@nats-streaming/kernel";
import { answerMemory, type EngineAnswer, type EngineRequest, errorParts } from "./engine-protocol.ts";
import { SqliteEngine } from "./sqlite-engine.ts";

invariant(parentPort !== null, "the SQLite worker runs in a thread of its own");
const port = parentPort;
const engine = new SqliteEngine();

const answer = (id: number, value: EngineAnswer): void => port.postMessage({ id, value }, answerMemory(value));
const fail = (id: number, error: unknown): void => port.postMessage({ id, error: errorParts(error) });

/** Opening is the only request that takes more than a turn; nothing else comes before its answer. */
port.on("message", ({ id, request }: { readonly id: number; readonly request: EngineRequest }) => {
  try {
    const result = engine.handle(request);
    if (result instanceof Promise) {
      result.then(
        (value) => answer(id, value),
        (error: unknown) => fail(id, error),
      );
    } else {
      answer(id, result);
    }
  } catch (error) {
    fail(id, error);
  }
  if (request.kind === "close") port.close();
});
