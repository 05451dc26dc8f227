import { BrokerError } from "@nats-streaming/broker";
import { BusError, errorText } from "@nats-streaming/kernel";
import { busFailure } from "./bus-failure.ts";
import { remedyOf } from "./remedies.ts";
import { UnusableOptionError } from "./unusable-option.ts";

/** Why a start failed, in the words of the original's log, which scripts look for. */
export interface StartFailure {
  /** `nats`: a line of the embedded NATS server's, which stands alone; `streaming`: behind `Failed to start: `. */
  readonly source: "nats" | "streaming";
  readonly reason: string;
  /** More words for people, where the original's are few; to be logged before the reason. */
  readonly detail: string;
}

/** What a start that threw says. */
export function startFailure(error: unknown): StartFailure {
  const reason = errorText(error);
  if (error instanceof UnusableOptionError) return { source: "streaming", reason, detail: error.remedy };
  if (error instanceof BrokerError) return { source: "nats", reason, detail: remedyOf(reason) };
  const failure = error instanceof BusError && error.code === "connect_failed" ? busFailure(error) : undefined;
  return { source: "streaming", ...(failure ?? { reason, detail: remedyOf(reason) }) };
}

/** What a start that was refused says. */
export function startRefusal(reason: string): StartFailure {
  return { source: "streaming", reason, detail: remedyOf(reason) };
}
