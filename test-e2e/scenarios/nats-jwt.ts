import { createHash } from "node:crypto";
import { nkeys } from "nats";

/** What nkeys makes; the package does not say. */
interface KeyPair {
  getPublicKey(): string;
  getSeed(): Uint8Array;
  sign(bytes: Uint8Array): Uint8Array;
}

/** A user of an account of an operator, everything signed. */
export interface Decentralised {
  /** Of a nats-server that trusts the operator and knows the account. */
  readonly config: string;
  /** Text of the user's credentials file. */
  readonly credentials: string;
}

/** Makes an operator with one account and one user that may do everything. */
export function decentralised(): Decentralised {
  const operator: KeyPair = nkeys.createOperator();
  const account: KeyPair = nkeys.createAccount();
  const user: KeyPair = nkeys.createUser();
  const operatorToken = token(operator, operator, "operator", {});
  const accountToken = token(operator, account, "account", {
    limits: { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 },
  });
  const userToken = token(account, user, "user", { subs: -1, data: -1, payload: -1, pub: {}, sub: {} });
  const seed = Buffer.from(user.getSeed()).toString();
  return {
    config: `operator: ${operatorToken}\nresolver: MEMORY\nresolver_preload { ${account.getPublicKey()}: ${accountToken} }\n`,
    credentials:
      `-----BEGIN NATS USER JWT-----\n${userToken}\n------END NATS USER JWT------\n\n` +
      `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
  };
}

/** A JWT in the form that NATS takes. */
function token(issuer: KeyPair, subject: KeyPair, type: string, nats: Readonly<Record<string, unknown>>): string {
  const claims = {
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.getPublicKey(),
    name: type,
    sub: subject.getPublicKey(),
    nats: { ...nats, type, version: 2 },
  };
  const jti = createHash("sha256").update(JSON.stringify(claims)).digest("hex");
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ typ: "JWT", alg: "ed25519-nkey" })}.${part({ jti, ...claims })}`;
  return `${text}.${Buffer.from(issuer.sign(Buffer.from(text))).toString("base64url")}`;
}
