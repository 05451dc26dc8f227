import { createSecureContext, type SecureContextOptions } from "node:tls";
import { errorText } from "@nats-streaming/kernel";
import { BrokerError } from "./errors.ts";
import { whole } from "./whole.ts";

/** How connections are encrypted. Certificates and keys are PEM texts, not the names of files. */
export interface TlsOptions {
  /** This server's certificate, with those of intermediate authorities behind it. */
  readonly certificate: string;
  readonly key: string;
  /** Authorities to trust. Default: the system's. */
  readonly authorities?: string;
  /** Names as nats-server's configuration has them, `TLS_…`. Default: Node's choice. */
  readonly cipherSuites?: readonly string[];
  /** Names as nats-server's configuration has them: `X25519`, `CurveP256`, `CurveP384`, `CurveP521`. Default: Node's choice. */
  readonly curves?: readonly string[];
  /** How long the handshake may take. Default 2 s. */
  readonly timeoutMillis?: number;
}

/** How connections of clients are encrypted. */
export interface ClientTlsOptions extends TlsOptions {
  /** Demand a certificate of every client, signed by one of {@link authorities}. */
  readonly verify?: boolean;
  /** Also take the user's name from that certificate: an e-mail address, a DNS name or the whole subject. */
  readonly verifyAndMap?: boolean;
}

/** How routes are encrypted. Both servers show a certificate, and both check the other's. */
export interface RouteTlsOptions extends TlsOptions {
  /** Do not check the certificates of servers that a route is opened to. For tests. */
  readonly insecure?: boolean;
}

const TIMEOUT_DEFAULT_MILLIS = 2_000;

/** {@link TlsOptions} as Node has them. */
export interface TlsSettings {
  readonly secure: SecureContextOptions;
  readonly timeoutMillis: number;
}

/** @param name of the option, for errors. @throws BrokerError `bad_option` */
export function tlsSettingsOf(name: string, options: TlsOptions): TlsSettings {
  const { certificate, key, authorities, cipherSuites = [], curves = [] } = options;
  const timeoutMillis = whole(`${name}.timeoutMillis`, options.timeoutMillis ?? TIMEOUT_DEFAULT_MILLIS, 1);
  const secure: SecureContextOptions = {
    cert: certificate,
    key,
    minVersion: "TLSv1.2",
    ...(authorities === undefined ? {} : { ca: authorities }),
    ...(cipherSuites.length === 0 ? {} : { ciphers: named(`${name}.cipherSuites`, cipherSuites, CIPHERS) }),
    ...(curves.length === 0 ? {} : { ecdhCurve: named(`${name}.curves`, curves, CURVES) }),
  };
  try {
    createSecureContext(secure);
  } catch (cause) {
    const reason = errorText(cause);
    throw new BrokerError("bad_option", `${name}: certificate, key or authorities cannot be used: ${reason}`, {
      cause,
    });
  }
  return { secure, timeoutMillis };
}

function named(option: string, names: readonly string[], known: Readonly<Record<string, string>>): string {
  const found = names.map((name) => {
    const value = known[name];
    if (value !== undefined) return value;
    const all = Object.keys(known).join(", ");
    throw new BrokerError("bad_option", `${option}: "${name}" is not known; known are ${all}`);
  });
  return found.join(":");
}

const CURVES: Readonly<Record<string, string>> = {
  X25519: "X25519",
  CurveP256: "P-256",
  CurveP384: "P-384",
  CurveP521: "P-521",
};

/** The names of the registry beside those of OpenSSL; those of TLS 1.3 are the same. */
const CIPHERS: Readonly<Record<string, string>> = {
  TLS_AES_128_GCM_SHA256: "TLS_AES_128_GCM_SHA256",
  TLS_AES_256_GCM_SHA384: "TLS_AES_256_GCM_SHA384",
  TLS_CHACHA20_POLY1305_SHA256: "TLS_CHACHA20_POLY1305_SHA256",
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "ECDHE-ECDSA-AES128-GCM-SHA256",
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: "ECDHE-ECDSA-AES256-GCM-SHA384",
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: "ECDHE-ECDSA-CHACHA20-POLY1305",
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-ECDSA-CHACHA20-POLY1305",
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: "ECDHE-ECDSA-AES128-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: "ECDHE-ECDSA-AES128-SHA256",
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: "ECDHE-ECDSA-AES256-SHA",
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: "ECDHE-RSA-AES128-GCM-SHA256",
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: "ECDHE-RSA-AES256-GCM-SHA384",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: "ECDHE-RSA-CHACHA20-POLY1305",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-RSA-CHACHA20-POLY1305",
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: "ECDHE-RSA-AES128-SHA",
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: "ECDHE-RSA-AES128-SHA256",
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: "ECDHE-RSA-AES256-SHA",
  TLS_RSA_WITH_AES_128_GCM_SHA256: "AES128-GCM-SHA256",
  TLS_RSA_WITH_AES_256_GCM_SHA384: "AES256-GCM-SHA384",
  TLS_RSA_WITH_AES_128_CBC_SHA: "AES128-SHA",
  TLS_RSA_WITH_AES_128_CBC_SHA256: "AES128-SHA256",
  TLS_RSA_WITH_AES_256_CBC_SHA: "AES256-SHA",
};
