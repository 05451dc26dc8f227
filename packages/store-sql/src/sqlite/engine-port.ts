import { Worker } from "node:worker_threads";
import { DatabaseError } from "../database.ts";
import {
  type EngineAnswers,
  type EngineRequest,
  type ErrorParts,
  errorFromParts,
  requestMemory,
} from "./engine-protocol.ts";
import { SqliteEngine } from "./sqlite-engine.ts";

/** The way to an engine: in a thread of its own, or in this one. Requests are answered in order. */
export interface EnginePort {
  /**
   * Memory of a request may be gone afterwards: it went over to the other thread.
   * @throws (rejects) DatabaseError; `connection_lost` with an unknown outcome when the thread has died
   */
  request<Request extends EngineRequest>(request: Request): Promise<EngineAnswers[Request["kind"]]>;
  /** Whether the engine can still be asked. */
  readonly isAlive: boolean;
  /** Ends the thread. Idempotent. */
  terminate(): Promise<void>;
}

/** An engine that blocks the calling thread: for tests, which then need no built worker. */
export function inThreadPort(): EnginePort {
  const engine = new SqliteEngine();
  return {
    isAlive: true,
    async request<Request extends EngineRequest>(request: Request): Promise<EngineAnswers[Request["kind"]]> {
      return (await engine.handle(request)) as EngineAnswers[Request["kind"]];
    },
    async terminate(): Promise<void> {
      engine.handle({ kind: "close" });
    },
  };
}

interface Waiting {
  resolve(value: never): void;
  reject(error: unknown): void;
}

type Answer = { readonly id: number; readonly value: never } | { readonly id: number; readonly error: ErrorParts };

/** An engine in a thread of its own. */
export function workerPort(): EnginePort {
  return new ThreadPort();
}

/**
 * The worker is a file of the build. Sources that are run without one, such as the benches, use the built worker too, as a
 * thread has no loader.
 */
function workerFile(): URL {
  const path = import.meta.url.endsWith(".ts") ? "../../dist/sqlite/sqlite-worker.js" : "./sqlite-worker.js";
  return new URL(path, import.meta.url);
}

class ThreadPort implements EnginePort {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  isAlive = true;

  constructor() {
    // Flags of the process, such as a loader's, are not meant for it.
    this.#worker = new Worker(workerFile(), { name: "sqlite", execArgv: [] });
    // It keeps the process alive only while an answer is waited for.
    this.#worker.unref();
    this.#worker.on("message", (answer: Answer) => this.#answered(answer));
    this.#worker.on("error", (error) => this.#died(error.message));
    this.#worker.on("exit", (code) => this.#died(`exit code ${code}`));
  }

  request<Request extends EngineRequest>(request: Request): Promise<EngineAnswers[Request["kind"]]> {
    if (!this.isAlive) return Promise.reject(threadDied("it has ended"));
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#worker.postMessage({ id, request }, requestMemory(request));
      if (this.#waiting.size === 0) this.#worker.ref();
      this.#waiting.set(id, { resolve, reject });
    });
  }

  async terminate(): Promise<void> {
    this.isAlive = false;
    await this.#worker.terminate();
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if ("error" in answer) waiting?.reject(errorFromParts(answer.error));
    else waiting?.resolve(answer.value);
  }

  #died(why: string): void {
    this.isAlive = false;
    for (const { reject } of this.#waiting.values()) reject(threadDied(why));
    this.#waiting.clear();
  }
}

function threadDied(why: string): DatabaseError {
  return new DatabaseError("connection_lost", `the SQLite thread has ended: ${why}`, { isOutcomeUnknown: true });
}
