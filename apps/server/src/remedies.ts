import { userText } from "./pem-files.ts";

/** A line that a failed start ends with, which is the original's and therefore short, and what to do about it. */
export interface StartRemedy {
  /** The line as documentation shows it; `…` stands for what differs. */
  readonly line: string;
  readonly pattern: RegExp;
  /** One sentence; a function where it says who runs the server: of ` (user ID …)`, or of nothing where that is not known. */
  readonly remedy: string | ((user: string) => string);
}

/** What to do about a failed start whose one line is the original's. Empty where the line says it. */
export function remedyOf(reason: string): string {
  const found = startRemedies.find(({ pattern }) => pattern.test(reason));
  if (found === undefined) return "";
  return typeof found.remedy === "string" ? found.remedy : found.remedy(userText());
}

/** In the order in which they are tried. docs/errors.md shows them all. */
export const startRemedies: readonly StartRemedy[] = [
  {
    line: 'Error listening on port: …, "… address already in use"',
    pattern: /^Error listening on port: .*address already in use/,
    remedy:
      "Another process has that port, maybe a server that still runs: stop it, or choose another port with -p (port in the file)",
  },
  {
    line: 'Error listening on route port: …, "… address already in use"',
    pattern: /^Error listening on route port: .*address already in use/,
    remedy:
      "Another process has the port for routes: stop it, or choose another one with -cluster (cluster { listen } in the file)",
  },
  {
    line: 'Error listening on port: …, "… permission denied"',
    pattern: /^Error listening on .*permission denied/,
    remedy: (user) => `The system does not give that port to this user${user}: choose one from 1024 on with -p`,
  },
  {
    line: 'Error listening on port: …, "… cannot assign requested address"',
    pattern: /^Error listening on .*cannot assign requested address/,
    remedy:
      "No network interface of this machine has that address: name one that is its own with -a (host in the file), or 0.0.0.0 for all",
  },
  {
    line: 'Error listening on port: …, "… no such host"',
    pattern: /^Error listening on .*no such host/,
    remedy: "The name after -a (host in the file) is not known here: name an address",
  },
  {
    line: "unsupported store type: …",
    pattern: /^unsupported store type/,
    remedy: "-store (store in the file) is memory, file or sql",
  },
  {
    line: "for FILE stores, root directory must be specified",
    pattern: /^for FILE stores, root directory must be specified/,
    remedy: "Name the directory: -dir /var/lib/stan (dir in the file)",
  },
  {
    line: "unable to create the root directory […]: … permission denied",
    pattern: /^unable to create the root directory .*permission denied|^open .*permission denied/,
    remedy: (user) =>
      `The user that runs the server${user} must be allowed to write there: chown it, or choose another one with -dir`,
  },
  {
    line: "unable to create the root directory […]: …",
    pattern: /^unable to create the root directory/,
    remedy: "A part of that path is no directory: choose another one with -dir",
  },
  {
    line: 'cluster ID "…" does not match recovered value of "…"',
    pattern: /^cluster ID ".*" does not match recovered value/,
    remedy:
      "The store belongs to a server of the recovered cluster ID: start with that one (-cid), or choose another -dir or database",
  },
  {
    line: 'discovered another streaming server with cluster ID "…"',
    pattern: /^discovered another streaming server with cluster ID/,
    remedy:
      "Stop that one, give this one a cluster ID of its own (-cid), or run both with -ft_group or with partitioning",
  },
  {
    line: "encryption key required",
    pattern: /^encryption key required/,
    remedy:
      "Set the key in the environment, NATS_STREAMING_ENCRYPTION_KEY, where it shows least; or encryption_key in the file",
  },
  {
    line: "encryption cipher not supported",
    pattern: /^encryption cipher not supported/,
    remedy: "-encryption_cipher (encryption_cipher in the file) is AES or CHACHA",
  },
  {
    line: 'sql: unknown driver "…" (forgotten import?)',
    pattern: /^sql: unknown driver/,
    remedy: "-sql_driver (driver in sql_options) is sqlite, postgres or mysql",
  },
  {
    line: "unable to prepare statement …",
    pattern: /^unable to prepare statement/,
    remedy:
      "The database is there but not its tables: if the database has no tables yet, -sql_create_schema makes them",
  },
  {
    line: "stan: no configured channel",
    pattern: /^stan: no configured channel/,
    remedy: "With partitioning, list the channels of this server: store_limits { channels { foo: {} } }",
  },
  {
    line: "too many channels defined (…). The max channels limit is set to …",
    pattern: /^too many channels defined/,
    remedy: "Raise max_channels in store_limits, or list fewer channels",
  },
  {
    line: "malformed url: …",
    pattern: /^malformed url/,
    remedy: "Write -ns nats://host:4222",
  },
  {
    line: "address …: missing port in address",
    pattern: /missing port in address$/,
    remedy: "Write -ns nats://host:4222",
  },
];
