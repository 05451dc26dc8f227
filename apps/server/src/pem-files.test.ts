import { createPrivateKey } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { AUTHORITY, CLIENT_PAIR, SERVER_PAIR } from "../../../packages/broker/testing/tls.ts";
import { readNamedFile, readTlsFiles, type TlsFiles, validityWarning } from "./pem-files.ts";
import { UnusableOptionError } from "./unusable-option.ts";

const folder = mkdtempSync(join(tmpdir(), "pem-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const cert = file("server.pem", SERVER_PAIR.certificate);
const key = file("server.key", SERVER_PAIR.key);
const otherKey = file("client.key", CLIENT_PAIR.key);
const ca = file("ca.pem", AUTHORITY);
const empty = file("empty", "");

function refused(files: Partial<TlsFiles>): UnusableOptionError {
  try {
    readTlsFiles({ certFile: "", keyFile: "", caFile: "", ...files });
  } catch (error) {
    if (error instanceof UnusableOptionError) return error;
    throw error;
  }
  throw new Error("not refused");
}

describe("readTlsFiles()", () => {
  it("gives the texts of what is named", () => {
    expect(readTlsFiles({ certFile: cert, keyFile: key, caFile: ca })).toEqual({
      certificate: SERVER_PAIR.certificate,
      key: SERVER_PAIR.key,
      authorities: AUTHORITY,
    });
    expect(readTlsFiles({ certFile: "", keyFile: "", caFile: ca })).toEqual({ authorities: AUTHORITY });
    expect(readTlsFiles({ certFile: "", keyFile: "", caFile: "" })).toEqual({});
  });

  it.each([
    [{ certFile: cert }, /is given without its private key$/, /private key/],
    [{ keyFile: key }, /is given without its certificate$/, /certificate/],
    [{ certFile: cert, keyFile: otherKey }, /do not belong together$/, /made for/],
    [{ certFile: key, keyFile: key }, /server\.key holds no certificate$/, /BEGIN CERTIFICATE/],
    [{ certFile: cert, keyFile: cert }, /server\.pem holds no private key$/, /BEGIN PRIVATE KEY/],
    [{ caFile: empty }, /CA file .*empty holds no certificate$/, /BEGIN CERTIFICATE/],
    [
      { certFile: "nope.pem", keyFile: key },
      /^cannot read the TLS certificate file: open nope\.pem: no such file or directory$/,
      /check the path/,
    ],
    [{ caFile: folder }, /^cannot read the TLS CA file: read .*: is a directory$/, /name a file/],
  ])("refuses %j with the file and a remedy", (files, message, remedy) => {
    const error = refused(files);
    expect(error.message).toMatch(message);
    expect(error.remedy).toMatch(remedy);
  });

  it("says that a key is locked with a passphrase", () => {
    const pkcs8 = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" } as const;
    const locked = createPrivateKey(SERVER_PAIR.key).export(pkcs8).toString();
    const error = refused({ certFile: cert, keyFile: file("locked.key", locked) });
    expect(error.message).toMatch(/locked\.key is locked with a passphrase$/);
    expect(error.remedy).toContain("openssl pkey");
  });
});

describe("readNamedFile()", () => {
  it("gives the text, or names the kind of file that is missing", () => {
    expect(readNamedFile("NKey seed", ca)).toBe(AUTHORITY);
    expect(() => readNamedFile("NKey seed", "nope")).toThrow(
      "cannot read the NKey seed file: open nope: no such file or directory",
    );
  });
});

describe("validityWarning()", () => {
  it.each([
    ["2019-06-01", "The TLS certificate in s.pem is not valid before 2020-01-01: peers refuse it; is the clock right?"],
    ["2026-06-01", undefined],
    ["2130-06-01", "The TLS certificate in s.pem has expired on 2120-01-01: peers refuse it, renew it"],
  ])("at %s", (day, warning) => {
    expect(validityWarning("s.pem", SERVER_PAIR.certificate, Date.parse(day))).toBe(warning);
  });
});
