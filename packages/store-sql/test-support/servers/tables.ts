import type { SqlServer } from "./server-process.ts";

export type TableName =
  | "Channels"
  | "Clients"
  | "Messages"
  | "ServerInfo"
  | "StoreLock"
  | "SubsPending"
  | "Subscriptions";

export type TableRow = Readonly<Record<string, unknown>>;

/** Everything that the original's tables hold, printed as in the fixtures' expected.json; rows in any order. */
export type Tables = Readonly<Record<TableName, readonly TableRow[]>>;

/** How a column is printed. */
type Print = "number" | "text" | "digits" | "hex" | "bool" | "sequences";

const COLUMNS: Readonly<Record<TableName, Readonly<Record<string, Print>>>> = {
  Channels: {
    deleted: "bool",
    id: "number",
    maxage: "digits",
    maxbytes: "number",
    maxmsgs: "number",
    maxseq: "number",
    name: "text",
  },
  Clients: { hbinbox: "text", id: "text", proto: "hex" },
  Messages: { data: "hex", id: "number", seq: "number", size: "number", timestamp: "digits" },
  ServerInfo: { id: "text", proto: "hex", uniquerow: "number", version: "number" },
  StoreLock: { id: "text", tick: "number" },
  SubsPending: {
    acks: "sequences",
    lastsent: "number",
    pending: "sequences",
    row: "number",
    seq: "number",
    subid: "number",
  },
  Subscriptions: { deleted: "bool", id: "number", lastsent: "number", proto: "hex", subid: "number" },
};

export const TABLE_NAMES: readonly TableName[] = [
  "Channels",
  "Clients",
  "Messages",
  "ServerInfo",
  "StoreLock",
  "SubsPending",
  "Subscriptions",
];

/** Reads all tables apart from the store. */
export async function contentOf(server: SqlServer, driver: "postgres" | "mysql", database: string): Promise<Tables> {
  const read = async (table: TableName): Promise<TableRow[]> => {
    const columns = Object.entries(COLUMNS[table]);
    const names = columns.map(([name]) => (driver === "mysql" ? `\`${name}\`` : `"${name}"`));
    const rows = await server.query(database, `SELECT ${names.join(", ")} FROM ${table}`);
    const printed = rows.map((row) =>
      Object.fromEntries(
        columns.map(([name, print], i): [string, unknown] => {
          const key = print === "hex" ? `${name}_hex` : name;
          return [key, printedValue(row[i], print)];
        }),
      ),
    );
    return printed.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
  };
  return {
    Channels: await read("Channels"),
    Clients: await read("Clients"),
    Messages: await read("Messages"),
    ServerInfo: await read("ServerInfo"),
    StoreLock: await read("StoreLock"),
    SubsPending: await read("SubsPending"),
    Subscriptions: await read("Subscriptions"),
  };
}

function printedValue(value: unknown, print: Print): unknown {
  switch (print) {
    case "number":
      return value === null ? null : Number(value);
    case "digits":
      return String(value);
    case "text":
      return value === null ? null : String(value);
    case "bool":
      return value === true || value === 1;
    case "hex":
      return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : null;
    case "sequences":
      if (!(value instanceof Uint8Array)) return null;
      return value.length === 0 ? "" : sequencesOf(value);
  }
}

function sequencesOf(json: Uint8Array): number[] {
  const sequences: number[] = JSON.parse(Buffer.from(json).toString("utf8"));
  return sequences.sort((one, other) => one - other);
}
