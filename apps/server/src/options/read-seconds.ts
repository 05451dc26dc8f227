import { type ConfigEntry, type ConfigError, readDuration } from "@nats-streaming/config";
import { type DurationNanos, durationFromMillis } from "@nats-streaming/kernel";
import { atKey } from "./nats-error.ts";

/** Seconds as a number, or a duration as text, as nats-server takes timeouts. */
export function readSeconds(entry: ConfigEntry, set: (value: DurationNanos) => void): ConfigError | undefined {
  const { value } = entry;
  if (value.kind === "integer" || value.kind === "float") {
    set(durationFromMillis(Number(value.value) * 1000));
    return undefined;
  }
  const reading = readDuration(entry);
  if (reading.kind === "wrong") return atKey(reading.error, entry);
  set(reading.value);
  return undefined;
}
