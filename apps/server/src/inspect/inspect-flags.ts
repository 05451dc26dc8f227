/** What a command of inspection is told. */
export interface InspectRequest {
  readonly kind: "request";
  readonly command: InspectCommand;
  /** What follows the command and is no flag. */
  readonly words: readonly string[];
  /** Where monitoring listens, without a slash at its end. */
  readonly server: string;
  readonly token: string;
  readonly user: string;
  readonly password: string;
  readonly json: boolean;
  /** Of one of the flags that a command knows, by its name without dashes. */
  readonly values: ReadonlyMap<ValueFlag, string>;
  readonly once: boolean;
}

export type InspectParse =
  | InspectRequest
  | { readonly kind: "help"; readonly command: InspectCommand }
  | { readonly kind: "wrong"; readonly message: string };

export type InspectCommand = "channels" | "clients" | "subscriptions" | "messages" | "top";

/** What may follow a command. */
export interface CommandUsage {
  readonly words: string;
  readonly flags: readonly ValueFlag[];
  readonly about: string;
}

/** The commands, in the order in which help lists them. */
export const COMMANDS: Readonly<Record<InspectCommand, CommandUsage>> = {
  channels: {
    words: "[part of a name]",
    flags: ["limit", "offset"],
    about: "channels, what they hold and how far subscribers are behind",
  },
  clients: {
    words: "[client ID]",
    flags: ["limit", "offset"],
    about: "registered clients, or the subscriptions of one",
  },
  subscriptions: {
    words: "[channel]",
    flags: ["limit", "client"],
    about: "subscriptions of a channel, of a client, or of all",
  },
  messages: { words: "<channel>", flags: ["from", "last", "count", "as"], about: "messages of a channel" },
  top: {
    words: "",
    flags: ["limit", "every"],
    about: "rates of the server and of its busiest channels, as they change",
  },
};

/** Flags with a value that only some commands know. */
export type ValueFlag = "limit" | "offset" | "client" | "from" | "last" | "count" | "as" | "every";

const FLAG_TEXTS: Readonly<Record<ValueFlag, string>> = {
  limit: "--limit N          at most so many rows",
  offset: "--offset N         leave out so many at the beginning",
  client: "--client ID        those of one client",
  from: "--from WHERE       begin at a sequence, or at a time such as 2026-11-22T13:57:50Z",
  last: "--last N           the last N messages",
  count: "--count N          at most so many messages (25)",
  as: "--as FORM          json, text or hex; what suits each message if left out",
  every: "--every SECONDS    time between two looks (2)",
};

/** Where monitoring is looked for when nothing is said. */
const SERVER_DEFAULT = "http://127.0.0.1:8222";

/** Whether an argument begins a command of inspection, so that the rest of the line is {@link parseInspect}'s. */
export function isInspectCommand(word: string | undefined): word is InspectCommand {
  return word !== undefined && Object.hasOwn(COMMANDS, word);
}

/**
 * Reads a command line of inspection: flags may stand anywhere, with one dash or two, their value behind `=` or next.
 * @param env names the server and the token when no flag does
 */
export function parseInspect(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): InspectParse {
  const [command, ...args] = argv;
  if (!isInspectCommand(command)) return wrong(`unknown command ${quote(command ?? "")}`, undefined);
  const own: readonly string[] = COMMANDS[command].flags;
  const words: string[] = [];
  const general = new Map<string, string>([
    ["server", env["NATS_STREAMING_MONITOR"] ?? SERVER_DEFAULT],
    ["token", env["NATS_STREAMING_MONITOR_TOKEN"] ?? ""],
    ["user", ""],
    ["password", ""],
  ]);
  const values = new Map<ValueFlag, string>();
  let json = false;
  let once = false;
  for (let i = 0; i < args.length; i++) {
    const argument = args[i] ?? "";
    const [, name, assigned] = /^--?([a-z][a-z-]*)(?:=(.*))?$/s.exec(argument) ?? [];
    if (name === undefined) {
      words.push(argument);
      continue;
    }
    if (name === "help" || name === "h") return { kind: "help", command };
    if (name === "json" || (name === "once" && command === "top")) {
      if (assigned !== undefined) return wrong(`--${name} takes no value`, command);
      if (name === "json") json = true;
      else once = true;
      continue;
    }
    if (!general.has(name) && !own.includes(name)) return wrong(`unknown flag --${name}`, command);
    const value = assigned ?? args[++i];
    if (value === undefined) return wrong(`--${name} needs a value`, command);
    if (general.has(name)) general.set(name, value);
    else if (isValueFlag(name)) values.set(name, value);
  }
  const server = serverUrl(general.get("server") ?? "");
  if (server === undefined) {
    return wrong(`--server ${quote(general.get("server") ?? "")} is no address: write http://host:port`, command);
  }
  const most = command === "top" ? 0 : 1;
  if (words.length > most) return wrong(`unexpected ${quote(words[most] ?? "")}`, command);
  if (command === "messages" && words.length === 0) return wrong("name the channel whose messages to show", command);
  const [token = "", user = "", password = ""] = ["token", "user", "password"].map((name) => general.get(name));
  return { kind: "request", command, words, server, token, user, password, json, values, once };
}

/** How a command is used. */
export function inspectHelp(program: string, command: InspectCommand): string {
  const { words, flags, about } = COMMANDS[command];
  return `${[
    `Usage: ${[program, command, words, "[flags]"].filter((word) => word !== "").join(" ")}`,
    "",
    `Shows ${about}.`,
    "",
    ...flags.map((flag) => `  ${FLAG_TEXTS[flag]}`),
    ...(command === "top" ? ["  --once             look twice, print once"] : []),
    "  --json             as JSON, for scripts",
    `  --server URL       where monitoring listens (${SERVER_DEFAULT}; NATS_STREAMING_MONITOR)`,
    "  --token TOKEN      for a guarded server (NATS_STREAMING_MONITOR_TOKEN)",
    "  --user, --password the same",
  ].join("\n")}\n`;
}

function isValueFlag(name: string): name is ValueFlag {
  return Object.hasOwn(FLAG_TEXTS, name);
}

/** `host:port` is enough; a path in front of which a proxy answers stays. */
function serverUrl(text: string): string | undefined {
  const whole = /^https?:\/\//i.test(text) ? text : `http://${text}`;
  return URL.canParse(whole) && text !== "" ? whole.replace(/\/+$/, "") : undefined;
}

function wrong(problem: string, command: InspectCommand | undefined): InspectParse {
  const remedy = command === undefined ? `use one of ${Object.keys(COMMANDS).join(", ")}` : `see ${command} --help`;
  return { kind: "wrong", message: `${problem}: ${remedy}` };
}

function quote(text: string): string {
  return JSON.stringify(text);
}
