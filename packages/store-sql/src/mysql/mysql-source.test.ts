import { expect, it } from "vitest";
import { parseMysqlSource } from "./mysql-source.ts";

const defaults = {
  address: { kind: "tcp", host: "127.0.0.1", port: 3306 },
  user: "",
  password: "",
  database: "",
  tls: "off",
  connectTimeoutMillis: 0,
  readTimeoutMillis: 0,
  writeTimeoutMillis: 0,
  cleartextPasswords: false,
  compress: false,
  charsets: [],
  collation: undefined,
  maxAllowedPacket: 0,
  variables: new Map(),
};

const textOf = (source: string): string => {
  try {
    parseMysqlSource(source);
  } catch (error) {
    expect(error).toMatchObject({ name: "DatabaseError", code: "bad_source" });
    return String(error);
  }
  throw new Error("it was read");
};

it("reads user, password, address and database", () => {
  expect(parseMysqlSource("stan:secret@tcp(db.example:3307)/nss")).toEqual({
    ...defaults,
    address: { kind: "tcp", host: "db.example", port: 3307 },
    user: "stan",
    password: "secret",
    database: "nss",
  });
});

it.each([
  ["/", {}],
  ["/nss", { database: "nss" }],
  ["stan@/nss", { user: "stan", database: "nss" }],
  ["stan:@tcp/nss", { user: "stan", database: "nss" }],
  ["tcp(db)/nss", { address: { kind: "tcp", host: "db", port: 3306 }, database: "nss" }],
  ["tcp(db:)/nss", { address: { kind: "tcp", host: "db", port: 3306 }, database: "nss" }],
  ["tcp(:3307)/nss", { address: { kind: "tcp", host: "127.0.0.1", port: 3307 }, database: "nss" }],
  ["tcp([::1]:3307)/", { address: { kind: "tcp", host: "::1", port: 3307 } }],
  [
    "unix(/run/mysqld/mysqld.sock)/nss",
    { address: { kind: "unix", path: "/run/mysqld/mysqld.sock" }, database: "nss" },
  ],
  ["unix/nss", { address: { kind: "unix", path: "/tmp/mysql.sock" }, database: "nss" }],
  ["/a%2Fb%20c", { database: "a/b c" }],
])("fills in what %s leaves out", (source, expected) => {
  expect(parseMysqlSource(source)).toEqual({ ...defaults, ...expected });
});

it("takes any character for the password, up to the last @ before the address", () => {
  expect(parseMysqlSource("stan:p@ss:w/ord(?&=%zz@tcp(h:1)/nss")).toMatchObject({
    user: "stan",
    password: "p@ss:w/ord(?&=%zz",
    address: { kind: "tcp", host: "h", port: 1 },
    database: "nss",
  });
});

it("reads deadlines, TLS and the other parameters that have an effect", () => {
  const params =
    "timeout=1s&readTimeout=500ms&writeTimeout=1m&tls=skip-verify&charset=utf8mb4,utf8&collation=utf8mb4_bin" +
    "&allowCleartextPasswords=true&compress=1&maxAllowedPacket=1048576";
  expect(parseMysqlSource(`/nss?${params}`)).toEqual({
    ...defaults,
    database: "nss",
    tls: "skip-verify",
    connectTimeoutMillis: 1000,
    readTimeoutMillis: 500,
    writeTimeoutMillis: 60_000,
    cleartextPasswords: true,
    compress: true,
    charsets: ["utf8mb4", "utf8"],
    collation: "utf8mb4_bin",
    maxAllowedPacket: 1_048_576,
  });
});

it.each([
  ["true", "verify"],
  ["TRUE", "verify"],
  ["0", "off"],
  ["preferred", "preferred"],
])("reads tls=%s", (value, tls) => {
  expect(parseMysqlSource(`/?tls=${value}`).tls).toBe(tls);
});

it("takes the parameters of the original's driver that mean nothing here, and system variables", () => {
  const { variables } = parseMysqlSource(
    "/?parseTime=true&loc=Local&multiStatements=false&time_zone=%27%2B00%3A00%27&tx_isolation='READ-COMMITTED'",
  );
  expect([...variables]).toEqual([
    ["time_zone", "'+00:00'"],
    ["tx_isolation", "'READ-COMMITTED'"],
  ]);
});

it.each([
  ["", "invalid DSN: missing the slash separating the database name"],
  ["stan:secret@tcp(h:1)", "invalid DSN: missing the slash separating the database name"],
  ["tcp(h:1/nss", "invalid DSN: network address not terminated (missing closing brace)"],
  ["tcp(h:1)x/nss", "invalid DSN: did you forget to escape a param value?"],
  ["udp(h:1)/nss", 'invalid DSN: network "udp" is not supported: use tcp(host:port) or unix(/path)'],
  ["tcp(h:70000)/nss", 'invalid DSN: "h:70000" is not host:port'],
  ["tcp(a:b:c)/nss", 'invalid DSN: "a:b:c" is not host:port'],
  ["/?tls=maybe", 'parameter "tls" of the data source must be true, false, skip-verify or preferred, not "maybe"'],
  ["/?readTimeout=5", 'parameter "readTimeout" of the data source: time: missing unit in duration "5"'],
  ["/?timeout=soon", 'parameter "timeout" of the data source: time: invalid duration "soon"'],
  ["/?parseTime=maybe", 'parameter "parseTime" of the data source: invalid bool value: maybe'],
  ["/?maxAllowedPacket=-1", 'parameter "maxAllowedPacket" of the data source must be a number of bytes'],
  ["/?readTimeout", 'parameter "readTimeout" of the data source has no value: write readTimeout=value'],
  ["/?a;b=1", 'parameter "parameter" of the data source: "a;b" is not a name'],
  ["/?collation=a b", 'parameter "collation" of the data source: "a b" is not a name'],
  ["/?serverPubKey=x", 'parameter "serverPubKey" of the data source is not supported'],
  ["/a%zz", 'the database name in the data source has a "%" that begins no escape'],
])("refuses %s", (source, text) => {
  expect(textOf(source)).toContain(text);
});

it.each([
  "stan:hush/hush@tcp(h:1)",
  "stan:hush/s?hush@tcp(h:1)",
  "stan:hush(x/y",
  "stan:hush@udp/nss",
  "stan:hush@tcp(h:1)/?tls=x",
  "stan:hush@tcp(h:1/x",
])("never repeats the password: %s", (source) => {
  expect(textOf(source)).not.toContain("hush");
});
