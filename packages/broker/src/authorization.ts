import { createHash, timingSafeEqual } from "node:crypto";
import type { ConnectOptions } from "@nats-streaming/protocol/nats";
import { BrokerError } from "./errors.ts";

export interface UserPassword {
  readonly user: string;
  readonly password: string;
}

/** Who may connect: one user, the holders of a token, or any of several users. */
export type Authorization =
  | ({ readonly kind: "user" } & UserPassword)
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "users"; readonly users: readonly UserPassword[] };

/** Decides on the credentials of a `CONNECT`. */
export interface Authenticator {
  /** False when everybody may connect. */
  readonly required: boolean;
  accepts(options: ConnectOptions): boolean;
  /** What follows `authentication error` in the log: with several users, who tried. */
  describe(options: ConnectOptions): string;
}

/**
 * The authenticator for an authorization. Secrets are compared by digest and in constant time; an unknown user costs as much
 * as a wrong password.
 * @throws BrokerError `bad_option` for bcrypt hashes: taken as plain text they would let in whoever read the configuration.
 */
export function createAuthenticator(authorization: Authorization | undefined): Authenticator {
  if (authorization === undefined) return { required: false, accepts: hasNoAccount, describe: () => "" };
  switch (authorization.kind) {
    case "token": {
      const token = secret("token", authorization.token);
      return {
        required: true,
        accepts: (options) => hasNoAccount(options) && matches(options.auth_token, token),
        describe: () => "",
      };
    }
    case "user": {
      const user = digest(authorization.user);
      const password = secret(`password of user "${authorization.user}"`, authorization.password);
      return {
        required: true,
        accepts(options): boolean {
          const isUser = matches(options.user, user);
          const isPassword = matches(options.pass, password);
          return hasNoAccount(options) && isUser && isPassword;
        },
        describe: () => "",
      };
    }
    case "users": {
      const users = new Map<string, Buffer>();
      for (const { user, password } of authorization.users) {
        if (users.has(user)) throw new BrokerError("bad_option", `user "${user}" is listed twice: remove one of them`);
        users.set(user, secret(`password of user "${user}"`, password));
      }
      const nobody = digest("");
      return {
        required: true,
        accepts(options): boolean {
          const password = users.get(options.user);
          const isPassword = matches(options.pass, password ?? nobody);
          return hasNoAccount(options) && password !== undefined && isPassword;
        },
        describe: (options) => ` - User ${JSON.stringify(options.user)}`,
      };
    }
  }
}

/** There are no accounts here; a client that asks for one is refused, as the reference does without any configured. */
function hasNoAccount(options: ConnectOptions): boolean {
  return options.account === "";
}

const BCRYPT = /^\$2[abxy]?\$\d\d\$/;

function secret(name: string, value: string): Buffer {
  if (BCRYPT.test(value)) {
    throw new BrokerError("bad_option", `${name} is a bcrypt hash, which is not supported: give the plain text`);
  }
  return digest(value);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}

function matches(given: string, expected: Buffer): boolean {
  return timingSafeEqual(digest(given), expected);
}
