import { expect, it } from "vitest";
import { parsePostgresSource } from "./postgres-source.ts";

const nothing = {
  host: undefined,
  port: undefined,
  user: undefined,
  password: undefined,
  database: undefined,
  tls: { mode: "require", certificate: undefined, key: undefined, rootCertificate: undefined },
  connectTimeoutMillis: 0,
  readTimeoutMillis: 0,
  writeTimeoutMillis: 0,
  applicationName: undefined,
  settings: new Map(),
};

const textOf = (source: string): string => {
  try {
    parsePostgresSource(source);
  } catch (error) {
    expect(error).toMatchObject({ name: "DatabaseError", code: "bad_source" });
    return String(error);
  }
  throw new Error("it was read");
};

it("leaves everything to the defaults when the source is empty, and asks for TLS", () => {
  expect(parsePostgresSource("")).toEqual(nothing);
});

it("reads pairs", () => {
  expect(
    parsePostgresSource("host=db.example port=6543 user=stan password=secret dbname=nss sslmode=disable"),
  ).toMatchObject({
    host: "db.example",
    port: 6543,
    user: "stan",
    password: "secret",
    database: "nss",
    tls: { mode: "disable" },
  });
});

it("reads quoted values, escapes and blanks around the sign as libpq does", () => {
  const source = String.raw`user = 'a b' password='it\'s \\ fine' dbname=a\ b application_name=''`;
  expect(parsePostgresSource(source)).toMatchObject({
    user: "a b",
    password: "it's \\ fine",
    database: "a b",
    applicationName: undefined,
  });
});

it("reads a URL with escapes", () => {
  expect(
    parsePostgresSource(
      "postgres://st%40n:p%3Aw%2Fd@[::1]:6543/my%20db?sslmode=verify-full&sslrootcert=/ca.pem&search_path=nss",
    ),
  ).toEqual({
    ...nothing,
    host: "::1",
    port: 6543,
    user: "st@n",
    password: "p:w/d",
    database: "my db",
    tls: { mode: "verify-full", certificate: undefined, key: undefined, rootCertificate: "/ca.pem" },
    settings: new Map([["search_path", "nss"]]),
  });
  expect(parsePostgresSource("postgresql://localhost")).toEqual({ ...nothing, host: "localhost" });
});

it.each(["readTimeout", "READTIMEOUT", "readtimeout"])("takes the deadline %s from pairs and URLs", (key) => {
  expect(parsePostgresSource(`${key}=1m30s host=a`)).toEqual({ ...nothing, host: "a", readTimeoutMillis: 90_000 });
  expect(parsePostgresSource(`postgres://a/?${key}=500ms&WriteTimeout=2s`)).toMatchObject({
    readTimeoutMillis: 500,
    writeTimeoutMillis: 2000,
    settings: new Map(),
  });
});

it("names the deadline that it cannot read", () => {
  expect(textOf("readtimeout=5")).toContain('unable to parse readTimeout: time: missing unit in duration "5"');
  expect(textOf("postgres://a/b?WRITETIMEOUT=soon")).toContain(
    'unable to parse writeTimeout: time: invalid duration "soon"',
  );
});

it("takes a unix socket without TLS, and sslmode from the environment", () => {
  expect(parsePostgresSource("host=/run/postgresql sslmode=require").tls.mode).toBe("disable");
  expect(parsePostgresSource("host=a", { PGSSLMODE: "verify-ca" }).tls.mode).toBe("verify-ca");
  expect(parsePostgresSource("host=a sslmode=disable", { PGSSLMODE: "verify-ca" }).tls.mode).toBe("disable");
});

it("keeps what it does not know as settings of the session", () => {
  const { settings } = parsePostgresSource("search_path=a,b statement_timeout=5000 fallback_application_name=x");
  expect([...settings]).toEqual([
    ["search_path", "a,b"],
    ["statement_timeout", "5000"],
  ]);
});

it.each([
  ["sslmode=prefer", 'unsupported sslmode "prefer"'],
  ["client_encoding=LATIN1", "client_encoding must be absent or 'UTF8'"],
  ["port=many", 'port in the data source must be a whole number from 0 to 65535, not "many"'],
  ["connect_timeout=-1", 'connect_timeout in the data source must be a whole number from 0 to 86400, not "-1"'],
  ["host", 'missing "=" after key number 1 of the data source'],
  ["host='a", 'unterminated quoted string in "host" of the data source'],
  ["host=a\\", 'missing character after backslash in "host" of the data source'],
  ["postgres://a:b@:port", "the data source is not a URL"],
  ["postgres://a:%zz@host/db", 'password in the data source has a "%" that begins no escape'],
])("refuses %s", (source, text) => {
  expect(textOf(source)).toContain(text);
});

it.each([
  "user=a password=hush hush host=b",
  "postgres://a:hush@b:port/x",
  "postgres://a:hush%zz@b/x",
  "user=a password='hush",
  "user=a password=hush port=x",
  "user=a password=hush readTimeout=x",
  "user=a password=hush sslmode=x",
])("never repeats the password: %s", (source) => {
  expect(textOf(source)).not.toContain("hush");
});
