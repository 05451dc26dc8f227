import {
  type ConfigEntry,
  ConfigError,
  type ConfigErrorCode,
  type ConfigPosition,
  nearestName,
} from "@nats-streaming/config";

/**
 * An error in the NATS part of a configuration, with the place in front as the original has it.
 * @see configuration.md 6: `pc.conf:2:12: unknown field "node_id"`
 */
export function natsError(
  position: ConfigPosition,
  message: string,
  hint = "",
  code: ConfigErrorCode = "bad_value",
): ConfigError {
  return new ConfigError({ code, message: withPlace(position, message), position, hint });
}

/** The error of an option, with the place of its key in front; the caret stays under the value. */
export function atKey(error: ConfigError, entry: ConfigEntry): ConfigError {
  const { code, hint } = error;
  const message = withPlace(entry.position, error.message);
  return new ConfigError({ code, message, hint, position: error.position ?? entry.position });
}

/** The error for a key that a NATS block does not know: there, unlike at the top, the original refuses it. */
export function unknownField(entry: ConfigEntry, known: Iterable<string>, hint = ""): ConfigError {
  const nearest = nearestName(entry.key, known);
  const suggestion = hint === "" && nearest !== undefined ? `did you mean "${nearest}"?` : hint;
  return natsError(entry.position, `unknown field "${entry.key}"`, suggestion);
}

function withPlace(position: ConfigPosition, message: string): string {
  // The original counts columns from 0 on the first line and from 1 on every other.
  const column = position.line === 1 ? position.column - 1 : position.column;
  return `${position.file}:${position.line}:${column}: ${message}`;
}
