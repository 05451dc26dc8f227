import type { BusError } from "@nats-streaming/kernel";

/** Why no connection to NATS came about. */
export interface BusFailure {
  /** In the words of the original's log. */
  readonly reason: string;
  /** Which servers were tried, what happened there, and the remedy. */
  readonly detail: string;
}

/** What a failed connection means. */
export interface BusMeaning {
  /** In the words of the original's log. */
  readonly reason: string;
  readonly remedy: string;
  /** The error's own text names the remedy, so that it is not said twice. */
  readonly isSaid?: true;
}

/**
 * What a connection that failed says, if the original has words for it.
 * @param error `connect_failed`
 * @see operations.md 4 and 6
 */
export function busFailure(error: BusError): BusFailure | undefined {
  const { message, cause } = error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const meaning = meaningOf(code, cause);
  if (meaning === undefined) return undefined;
  return { reason: meaning.reason, detail: meaning.isSaid ? message : `${message}; ${meaning.remedy}` };
}

const TRUST = "name the file with the certificate of its authority: tls { client_ca } or -tls_client_cacert";
const UNKNOWN_AUTHORITY: BusMeaning = { reason: "x509: certificate signed by unknown authority", remedy: TRUST };

const MEANINGS: Readonly<Record<string, BusMeaning>> = {
  CONNECTION_REFUSED: {
    reason: "nats: no servers available for connection",
    remedy: "start the NATS server, or correct the address in -ns (nats_server_url)",
    isSaid: true,
  },
  TIMEOUT: {
    reason: "nats: no servers available for connection",
    remedy:
      "is it a NATS server? One that demands a certificate of its clients needs tls { client_cert, client_key } or -tls_client_cert and -tls_client_key",
  },
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: {
    reason: "x509: certificate has expired or is not yet valid",
    remedy: "renew the certificate of the NATS server, or look at this machine's clock",
  },
  CERT_NOT_YET_VALID: {
    reason: "x509: certificate has expired or is not yet valid",
    remedy: "look at this machine's clock, and at the certificate of the NATS server",
  },
  SERVER_OPT_NA: {
    reason: "nats: secure connection not available",
    remedy: "the NATS server has no TLS: switch it on there, or leave out secure, tls and -tls_client_… here",
  },
};

const UNAUTHORIZED: BusMeaning = {
  reason: "nats: Authorization Violation",
  remedy: "check user, password, token, nkey or credentials",
  isSaid: true,
};

/** Every meaning there is, each once; `…` stands for what differs. docs/errors.md shows them all. */
export function busMeanings(): readonly BusMeaning[] {
  return [...new Set(Object.values(MEANINGS)), UNAUTHORIZED, unknownHost("…"), wrongName("…", "…")];
}

function meaningOf(code: string, cause: unknown): BusMeaning | undefined {
  if (code.startsWith("AUTH")) return UNAUTHORIZED;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const host = cause instanceof Error && "host" in cause ? String(cause.host) : "";
    return wrongName(certificateNames(cause).join(", "), host);
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return unknownHost(cause instanceof Error && "hostname" in cause ? String(cause.hostname) : "the host");
  }
  return MEANINGS[code];
}

function unknownHost(host: string): BusMeaning {
  const remedy = "the name of the host is not known here: check -ns (nats_server_url), and the name service";
  return { reason: `dial tcp: lookup ${host}: no such host`, remedy };
}

/** `x509: certificate is valid for localhost, not nope` */
function wrongName(names: string, host: string): BusMeaning {
  const remedy = "use a name of the certificate in the URL, or say which one to look for: tls { server_name }";
  return { reason: `x509: certificate is valid for ${names}, not ${host}`, remedy };
}

function certificateNames(cause: unknown): string[] {
  const certificate: unknown = cause instanceof Error && "cert" in cause ? cause.cert : undefined;
  const names: unknown =
    typeof certificate === "object" && certificate !== null ? Reflect.get(certificate, "subjectaltname") : undefined;
  if (typeof names !== "string") return [];
  return names.split(", ").map((name) => name.replace(/^[^:]*:/, ""));
}
