import { ConfigError } from "./config-error.ts";
import { CHAIN_MAX, type OpenEntry, type ParseState, type Scope, sourceOf } from "./parse-state.ts";
import type { ConfigPosition, ConfigValue } from "./value.ts";

/** A bcrypt hash such as `$2a$11$…`: text, although it looks like a variable. */
const BCRYPT = /^2[abxy]\$/;

/** Key under which the value of an environment variable is parsed. */
const ENVIRONMENT_KEY = "pk";

/**
 * The value of `$name`: of the keys already seen in the enclosing maps, innermost first; else of the environment, whose
 * text is parsed as a value.
 * @throws ConfigError `variable`
 * @see configuration.md 1.6
 */
export function resolveVariable(state: ParseState, scope: Scope, name: string, position: ConfigPosition): ConfigValue {
  if (BCRYPT.test(name)) return { kind: "string", value: `$${name}`, quoted: false, position };
  const entry = lookUp(scope, name);
  if (entry !== undefined) {
    entry.usedAsVariable = true;
    return { ...entry.value, position };
  }
  const text = Object.hasOwn(state.env, name) ? state.env[name] : undefined;
  const value = text === undefined ? undefined : parseEnvironment(state, name, text, position);
  if (value === undefined) {
    throw new ConfigError({
      code: "variable",
      message: `variable reference for '${name}' on line ${position.line} can not be found`,
      position,
      hint: `define ${name} above this line or in the environment; a text that begins with "$" needs quotes`,
    });
  }
  return { ...value, position };
}

function lookUp(scope: Scope, name: string): OpenEntry | undefined {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
    const entry = at.entries.get(name);
    if (entry !== undefined) return entry;
  }
  return undefined;
}

/** Undefined when the text holds no value. */
function parseEnvironment(
  state: ParseState,
  name: string,
  text: string,
  position: ConfigPosition,
): ConfigValue | undefined {
  const refuse = (reason: string, cause?: unknown): ConfigError =>
    new ConfigError({
      code: "variable",
      message: `variable reference for '${name}' on line ${position.line} could not be parsed: ${reason}`,
      position,
      hint: "the text of an environment variable is read as a value; put quotes into it if it holds spaces",
      cause,
    });
  const link = `$${name}`;
  if (state.chain.includes(link)) throw refuse(`${link} refers to itself`);
  if (state.chain.length >= CHAIN_MAX) throw refuse(`more than ${CHAIN_MAX} variables refer to each other`);
  try {
    const inner = { ...state, chain: [...state.chain, link] };
    const map = state.parseText(inner, sourceOf(link, `${ENVIRONMENT_KEY}=${text}`, true));
    return map.entries.get(ENVIRONMENT_KEY)?.value;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw refuse(error.message, error);
  }
}
