import type { Socket } from "node:net";
import { type Clock, durationFromMillis, formatDuration, type Timer } from "@nats-streaming/kernel";

/** How long a database server may keep silent. */
export interface Deadlines {
  /** While an answer is due. */
  readonly readMillis: number;
  /** While what is sent is not taken. */
  readonly writeMillis: number;
  /** While an answer is due to a statement that may have to go through whole tables. */
  readonly slowMillis: number;
}

/** Deadlines of a data source that names none: nothing in the store may wait for ever. */
const SILENCE_MILLIS_DEFAULT = 10_000;

/** Counting or deleting a hundred million rows takes minutes, in which a server says nothing. */
const SLOW_SILENCE_MILLIS_DEFAULT = 600_000;

/** @param source deadlines as configured; 0: not configured */
export function deadlinesOf(source: {
  readonly readTimeoutMillis: number;
  readonly writeTimeoutMillis: number;
}): Deadlines {
  const { readTimeoutMillis, writeTimeoutMillis } = source;
  return {
    readMillis: readTimeoutMillis || SILENCE_MILLIS_DEFAULT,
    writeMillis: writeTimeoutMillis || SILENCE_MILLIS_DEFAULT,
    slowMillis: readTimeoutMillis || SLOW_SILENCE_MILLIS_DEFAULT,
  };
}

/**
 * Waits for `work`, which talks over `socket`. When the other side neither takes nor sends a byte for the time allowed, the
 * socket is destroyed and the promise rejects with {@link SilenceError}. An answer that keeps coming may take any time.
 */
export function withinDeadline<T>(
  socket: Socket,
  clock: Clock,
  millis: { readonly read: number; readonly write: number },
  work: () => Promise<T>,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let timer: Timer;
    let moved = "";
    const look = (): void => {
      // Bytes that wait to be sent: the other side does not take them. Otherwise it is its turn to answer.
      const isSending = socket.writableLength > 0;
      const limit = isSending ? millis.write : millis.read;
      const progress = `${socket.bytesRead}/${socket.writableLength}`;
      if (progress === moved) {
        const error = new SilenceError(isSending ? "write" : "read", limit);
        socket.destroy(error);
        reject(error);
        return;
      }
      moved = progress;
      timer = clock.setTimer(limit, look);
    };
    const settled = work();
    // What `work` sends is under way by now: silence counts from here.
    look();
    settled.then(
      (value) => {
        timer.cancel();
        resolve(value);
      },
      (error: unknown) => {
        timer.cancel();
        reject(error);
      },
    );
  });
}

/** The server kept silent longer than allowed. */
export class SilenceError extends Error {
  override readonly name = "SilenceError";

  constructor(direction: "read" | "write", millis: number) {
    const time = formatDuration(durationFromMillis(millis));
    super(
      `${direction}: i/o timeout: the database has not ${direction === "read" ? "answered" : "listened"} for ${time}`,
    );
  }
}
