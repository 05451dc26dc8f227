import { COMMANDS } from "../inspect/inspect-flags.ts";
import { FLAG_GROUPS, type FlagDefinition } from "./flag.ts";
import { PLACEHOLDER } from "./parse-flags.ts";

/** Column in which the explanation of a flag begins. */
const HELP_COLUMN = 44;

/** The text of `-help`, made from the table: the flags by group, each with its default. @see configuration.md 4.1 */
export function helpText(program: string, table: readonly FlagDefinition[]): string {
  const groups = FLAG_GROUPS.map((group) => {
    const lines = table.filter((flag) => flag.group === group && flag.noEffect === "").map(flagLine);
    return `${group}:\n${lines.join("\n")}`;
  });
  return `Usage: ${program} [options]\n       ${program} <command> [options]\n\n${commandsText(program)}\n\n${groups.join("\n\n")}\n\n${NOTES}`;
}

/** What can be asked of servers that run. */
function commandsText(program: string): string {
  const commands = [
    ["partitions", "who owns which channels"],
    ...Object.entries(COMMANDS).map(([name, { about }]) => [name, about]),
  ];
  const lines = commands.map(([name, about]) => `    ${name}`.padEnd(HELP_COLUMN) + about);
  return `Commands, each with its own help (${program} <command> -h):\n${lines.join("\n")}`;
}

const NOTES = `A flag takes one dash or two, and its value behind a blank or "="; a <bool> only behind "=".
A <size> may end in k, m, g (1000), or kb, mb, gb (1024); a <duration> is such as 30s, 5m or 1h30m.
Flags win over the configuration file. Partitioning is switched on in the file:
    partitioning: true
    store_limits: { channels: { "foo.*": {}, "bar": {} } }`;

function flagLine(flag: FlagDefinition): string {
  const names = flag.names.map((name) => `${isShort(name, flag) ? "-" : "--"}${name}`).join(", ");
  const value =
    flag.kind === "bool" ? (flag.default === "" ? "" : `[${PLACEHOLDER.bool}]`) : ` ${PLACEHOLDER[flag.kind]}`;
  const start = `    ${names}${value}`;
  const byDefault = flag.default === "" || flag.default === "false" ? "" : ` (default: ${flag.default})`;
  const text = `${flag.help}${byDefault}`;
  return start.length < HELP_COLUMN
    ? `${start.padEnd(HELP_COLUMN)}${text}`
    : `${start}\n${" ".repeat(HELP_COLUMN)}${text}`;
}

/** Both kinds of dashes work with every name; abbreviations are shown with one. */
function isShort(name: string, flag: FlagDefinition): boolean {
  return (
    name.length === 1 ||
    name === name.toUpperCase() ||
    (name.length <= 3 && name === flag.names[0] && flag.names.length > 1)
  );
}

/** The text of `-help_tls`. */
export const helpTlsText = `TLS towards clients of the embedded NATS server

A server needs a certificate and the private key that belongs to it, both in PEM:
    --tls --tlscert server-cert.pem --tlskey server-key.pem

To let only clients with a certificate in, name the authority that signs them:
    --tlsverify --tlscert server-cert.pem --tlskey server-key.pem --tlscacert ca.pem

For a trial, openssl makes a certificate for this machine:
    openssl req -x509 -newkey rsa:2048 -nodes -days 365 -keyout server-key.pem \\
        -out server-cert.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1

TLS of the streaming server towards an external NATS server is another matter:
    -ns tls://host:4222 -tls_client_cacert ca.pem [-tls_client_cert cert.pem -tls_client_key key.pem]`;
