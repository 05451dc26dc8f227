// Parsing and printing.

// What is wrong with a text.
export { ConfigError, type ConfigErrorCode, type ConfigErrorInit } from "./config-error.ts";
export { excerpt, formatPosition } from "./excerpt.ts";
export { quoteText, typeName, valueText } from "./go-text.ts";
export { nearestName } from "./nearest.ts";
export {
  type ParseFileOptions,
  type ParseOptions,
  type ParseOutcome,
  parseConfig,
  parseConfigFile,
} from "./parse.ts";
export { CHAIN_MAX, DEPTH_MAX, type Environment, FILES_MAX, type FileRead, type ReadFile } from "./parse-state.ts";
export { type PlainValue, toPlain } from "./plain.ts";
export { printConfig, printValue } from "./print.ts";
// Reading values as the types an option has.
export {
  type Reader,
  type Reading,
  readArray,
  readBoolean,
  readDuration,
  readInteger,
  readMap,
  readNumber,
  readSize,
  readString,
  readStringArray,
  wrongTypeError,
} from "./readers.ts";
export { readSystemFile, systemReason } from "./system-files.ts";
// Values and their places.
export type {
  ConfigArray,
  ConfigBoolean,
  ConfigDate,
  ConfigEntry,
  ConfigFloat,
  ConfigInteger,
  ConfigMap,
  ConfigPosition,
  ConfigSource,
  ConfigString,
  ConfigValue,
} from "./value.ts";
export type { ConfigWarning, ConfigWarningCode } from "./warning.ts";
