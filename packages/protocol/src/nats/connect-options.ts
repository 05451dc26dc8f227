import { utf8 } from "./ascii.ts";

/** What a client says of itself in `CONNECT`. */
export interface ConnectOptions {
  /** The server confirms every operation with `+OK`. */
  readonly verbose: boolean;
  /** The server checks published subjects. */
  readonly pedantic: boolean;
  /** The client's own messages come back to its own subscriptions. */
  readonly echo: boolean;
  /** The client understands headers (`HPUB`, `HMSG`). */
  readonly headers: boolean;
  /** A request that nobody listens to is answered with status 503; needs `headers`. */
  readonly no_responders: boolean;
  readonly tls_required: boolean;
  readonly user: string;
  readonly pass: string;
  readonly auth_token: string;
  /** Public key of a user, and the signature of the nonce in `INFO` that proves it. */
  readonly nkey: string;
  readonly sig: string;
  readonly account: string;
  readonly name: string;
  readonly lang: string;
  readonly version: string;
  /** 0: the first protocol; 1: understands an `INFO` at any time. */
  readonly protocol: number;
}

/** What holds before a client's `CONNECT`, and for every field that it leaves out. */
export const CONNECT_DEFAULTS: ConnectOptions = {
  verbose: true,
  pedantic: true,
  echo: true,
  headers: false,
  no_responders: false,
  tls_required: false,
  user: "",
  pass: "",
  auth_token: "",
  nkey: "",
  sig: "",
  account: "",
  name: "",
  lang: "",
  version: "",
  protocol: 0,
};

/** What a client's `CONNECT` says, or why it cannot be read. */
export type ConnectDecode =
  | { readonly kind: "options"; readonly options: ConnectOptions }
  | { readonly kind: "invalid"; readonly message: string };

/**
 * Reads the JSON of a `CONNECT`. As the reference has it: names in any case of letters, the last of several counts, `null`
 * leaves a field as it is, unknown fields are ignored, a value of the wrong type makes the whole invalid.
 * @param previous what holds for fields that are left out: of a second `CONNECT`, what the first one said.
 */
export function decodeConnect(
  bytes: Uint8Array,
  start: number,
  end: number,
  previous: ConnectOptions = CONNECT_DEFAULTS,
): ConnectDecode {
  let value: unknown;
  try {
    value = JSON.parse(utf8(bytes, start, end));
  } catch {
    return { kind: "invalid", message: "CONNECT arguments are not JSON" };
  }
  if (value === null) return { kind: "options", options: previous };
  if (typeof value !== "object" || Array.isArray(value)) {
    return { kind: "invalid", message: "CONNECT arguments are not a JSON object" };
  }
  const fields: Record<string, boolean | number | string> = { ...previous };
  for (const [key, given] of Object.entries(value)) {
    const name = key.toLowerCase();
    const expected = Object.hasOwn(CONNECT_DEFAULTS, name) ? typeof fields[name] : undefined;
    if (expected === undefined || given === null) continue;
    if (typeof given !== expected || (expected === "number" && !Number.isInteger(given))) {
      return { kind: "invalid", message: `CONNECT field "${name}" is not a ${expected}` };
    }
    fields[name] = given;
  }
  return { kind: "options", options: checked(fields) };
}

/** The loop above gave every field its own type, which the compiler cannot see. */
function checked(fields: Record<string, boolean | number | string>): ConnectOptions {
  return fields as unknown as ConnectOptions;
}
