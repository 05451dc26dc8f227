import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readSystemFile } from "@nats-streaming/config";
import { UnusableOptionError } from "./unusable-option.ts";

/** The files of one side of TLS; empty texts for those that are not given. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/** What they hold, PEM. */
export interface TlsTexts {
  readonly certificate?: string;
  readonly key?: string;
  readonly authorities?: string;
}

/**
 * The text of a file that an option names.
 * @param what it is, for the message: `TLS certificate`
 * @throws UnusableOptionError
 */
export function readNamedFile(what: string, path: string): string {
  const read = readSystemFile(path);
  if (read.kind === "text") return read.text;
  throw new UnusableOptionError(`cannot read the ${what} file: ${read.reason}`, readingRemedy(read.reason));
}

/**
 * Reads the files, and sees to it that they can be used together: TLS itself would only say so in the words of its library,
 * and without naming the file.
 * @throws UnusableOptionError
 */
export function readTlsFiles({ certFile, keyFile, caFile }: TlsFiles): TlsTexts {
  if ((certFile === "") !== (keyFile === "")) {
    const [given, missing] = certFile === "" ? ["private key", "certificate"] : ["certificate", "private key"];
    throw new UnusableOptionError(
      `the TLS ${given} file ${certFile}${keyFile} is given without its ${missing}`,
      `name the file with the ${missing}, too: the two are of use together only`,
    );
  }
  const authorities = caFile === "" ? undefined : readNamedFile("TLS CA", caFile);
  if (authorities !== undefined) certificateIn("TLS CA", caFile, authorities);
  if (certFile === "") return authorities === undefined ? {} : { authorities };
  const certificate = readNamedFile("TLS certificate", certFile);
  const key = readNamedFile("TLS private key", keyFile);
  if (!certificateIn("TLS certificate", certFile, certificate).checkPrivateKey(keyIn(keyFile, key))) {
    throw new UnusableOptionError(
      `the TLS certificate in ${certFile} and the private key in ${keyFile} do not belong together`,
      "name the key that the certificate was made for",
    );
  }
  return { certificate, key, ...(authorities === undefined ? {} : { authorities }) };
}

/**
 * One sentence when a certificate is of no use at this time, undefined when it is: peers refuse it, and then it is their log
 * that says so.
 * @param pem of a certificate that {@link readTlsFiles} has accepted
 * @param nowMillis since 1970
 */
export function validityWarning(file: string, pem: string, nowMillis: number): string | undefined {
  const { validFrom, validTo } = new X509Certificate(pem);
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  if (nowMillis > to) return `The TLS certificate in ${file} has expired on ${dayOf(to)}: peers refuse it, renew it`;
  if (nowMillis >= from) return undefined;
  return `The TLS certificate in ${file} is not valid before ${dayOf(from)}: peers refuse it; is the clock right?`;
}

function dayOf(millis: number): string {
  return new Date(millis).toISOString().slice(0, 10);
}

function certificateIn(what: string, path: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    const remedy = "it must be PEM: text with a line -----BEGIN CERTIFICATE-----";
    throw new UnusableOptionError(`the ${what} file ${path} holds no certificate`, remedy, { cause });
  }
}

function keyIn(path: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    const isLocked = pem.includes("ENCRYPTED");
    const [fault, remedy] = isLocked
      ? ["is locked with a passphrase", "give a key without one: openssl pkey -in locked.pem -out key.pem"]
      : ["holds no private key", "it must be PEM: text with a line such as -----BEGIN PRIVATE KEY-----"];
    throw new UnusableOptionError(`the TLS private key file ${path} ${fault}`, remedy, { cause });
  }
}

function readingRemedy(reason: string): string {
  if (reason.endsWith("permission denied")) return `let the user that runs the server read it${userText()}`;
  if (reason.endsWith("no such file or directory")) {
    return `check the path; one that does not begin with / is looked for in ${process.cwd()}`;
  }
  return "name a file with the text itself";
}

/** Who the process is; nothing where the system has no such numbers. */
export function userText(): string {
  return process.getuid === undefined ? "" : ` (user ID ${process.getuid()})`;
}
