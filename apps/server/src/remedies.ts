import { userText } from "./pem-files.ts";

/** What to do about a failed start whose one line is the original's, and therefore short. Empty where the line says it. */
export function remedyOf(reason: string): string {
  for (const [pattern, remedy] of REMEDIES) {
    if (pattern.test(reason)) return typeof remedy === "string" ? remedy : remedy();
  }
  return "";
}

const REMEDIES: readonly (readonly [RegExp, string | (() => string)])[] = [
  [
    /^Error listening on port: .*address already in use/,
    "Another process has that port, maybe a server that still runs: stop it, or choose another port with -p (port in the file)",
  ],
  [
    /^Error listening on route port: .*address already in use/,
    "Another process has the port for routes: stop it, or choose another one with -cluster (cluster { listen } in the file)",
  ],
  [
    /^Error listening on .*permission denied/,
    () => `The system does not give that port to this user${userText()}: choose one from 1024 on with -p`,
  ],
  [
    /^Error listening on .*cannot assign requested address/,
    "No network interface of this machine has that address: name one that is its own with -a (host in the file), or 0.0.0.0 for all",
  ],
  [/^Error listening on .*no such host/, "The name after -a (host in the file) is not known here: name an address"],
  [/^unsupported store type/, "-store (store in the file) is memory, file or sql"],
  [/^for FILE stores, root directory must be specified/, "Name the directory: -dir /var/lib/stan (dir in the file)"],
  [
    /^unable to create the root directory .*permission denied|^open .*permission denied/,
    () =>
      `The user that runs the server${userText()} must be allowed to write there: chown it, or choose another one with -dir`,
  ],
  [/^unable to create the root directory/, "A part of that path is no directory: choose another one with -dir"],
  [
    /^cluster ID ".*" does not match recovered value/,
    "The store belongs to a server of the recovered cluster ID: start with that one (-cid), or choose another -dir or database",
  ],
  [
    /^discovered another streaming server with cluster ID/,
    "Stop that one, give this one a cluster ID of its own (-cid), or run both with -ft_group or with partitioning",
  ],
  [
    /^encryption key required/,
    "Set the key in the environment, NATS_STREAMING_ENCRYPTION_KEY, where it shows least; or encryption_key in the file",
  ],
  [/^encryption cipher not supported/, "-encryption_cipher (encryption_cipher in the file) is AES or CHACHA"],
  [/^sql: unknown driver/, "-sql_driver (driver in sql_options) is sqlite, postgres or mysql"],
  [
    /^unable to prepare statement/,
    "The database is there but not its tables: if the database has no tables yet, -sql_create_schema makes them",
  ],
  [
    /^stan: no configured channel/,
    "With partitioning, list the channels of this server: store_limits { channels { foo: {} } }",
  ],
  [/^too many channels defined/, "Raise max_channels in store_limits, or list fewer channels"],
  [/^malformed url|missing port in address$/, "Write -ns nats://host:4222"],
];
