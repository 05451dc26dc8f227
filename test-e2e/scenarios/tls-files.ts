import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  AUTHORITY,
  CLIENT_PAIR,
  type Pair,
  PLAIN_PAIR,
  SERVER_PAIR,
  STRANGER_PAIR,
} from "../../packages/broker/testing/tls.ts";
import { type Stage, tempDir } from "../harness/stage.ts";

/** Of `localhost` and 127.0.0.1, and its own authority; valid in the year 2020 only. */
export const EXPIRED_PAIR: Pair = {
  certificate: `-----BEGIN CERTIFICATE-----
MIIBYDCCAQegAwIBAgIBATAKBggqhkjOPQQDAjASMRAwDgYDVQQDDAdleHBpcmVk
MB4XDTIwMDEwMTAwMDAwMFoXDTIxMDEwMTAwMDAwMFowEjEQMA4GA1UEAwwHZXhw
aXJlZDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABN9jf8TER644XiWBfJsnbJIn
chfBJV6uGteYsinww/PS66Q/Vwstl+plWjJnwI7kDB8q4zDPjG5IFlCOKlCOGJ6j
TjBMMBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAPBgNVHRMBAf8EBTADAQH/
MB0GA1UdDgQWBBSE78zsPR1nobdTFQbYtNz1qMwzhTAKBggqhkjOPQQDAgNHADBE
AiBY4YOGjtVki4AD9o3kEN7ouBKvcBDzk1JkUfuiV27HmQIgTwQkIy+GCWwdEM5n
YCy3+8lnifItett8zPBBYr0Y8fE=
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQ1vAqUccODhulq0l
jcqTYGedr2S7wesjdjrUJlHoR3ehRANCAATfY3/ExEeuOF4lgXybJ2ySJ3IXwSVe
rhrXmLIp8MPz0uukP1cLLZfqZVoyZ8CO5AwfKuMwz4xuSBZQjipQjhie
-----END PRIVATE KEY-----
`,
};

/** Paths of a certificate and its key. */
export interface PairFiles {
  readonly cert: string;
  readonly key: string;
}

export interface TlsFiles {
  /** The authority of all but `stranger` and `expired`. */
  readonly ca: string;
  readonly server: PairFiles;
  readonly client: PairFiles;
  readonly plain: PairFiles;
  readonly stranger: PairFiles;
  readonly expired: PairFiles;
}

/** Writes the certificates of the tests into a folder that goes with the stage. */
export async function tlsFiles(stage: Stage): Promise<TlsFiles> {
  const folder = await tempDir(stage);
  const write = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const pair = async (name: string, { certificate, key }: Pair): Promise<PairFiles> => ({
    cert: await write(`${name}.pem`, certificate),
    key: await write(`${name}.key`, key),
  });
  return {
    ca: await write("ca.pem", AUTHORITY),
    server: await pair("server", SERVER_PAIR),
    client: await pair("client", CLIENT_PAIR),
    plain: await pair("plain", PLAIN_PAIR),
    stranger: await pair("stranger", STRANGER_PAIR),
    expired: await pair("expired", EXPIRED_PAIR),
  };
}

/** TLS of a client, as Node and both client libraries take it. */
export function clientTls(pair?: Pair): { readonly ca: string; readonly cert?: string; readonly key?: string } {
  return { ca: AUTHORITY, ...(pair === undefined ? {} : { cert: pair.certificate, key: pair.key }) };
}
