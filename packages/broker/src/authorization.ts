import { createHash, type KeyObject } from "node:crypto";
import type { ConnectOptions } from "@nats-streaming/protocol/nats";
import { BrokerError } from "./errors.ts";
import { isSigned, userKey } from "./nkey.ts";
import { type BcryptCompare, type Secret, Secrets } from "./passwords.ts";
import { type CompiledPermissions, compilePermissions, type Permissions } from "./permissions.ts";

/** A login by name. */
export interface UserPassword {
  readonly user: string;
  /** Plain text, or a bcrypt hash where {@link BrokerOptions.bcrypt} is given. */
  readonly password: string;
}

/** One of several users: known by name and password, or by a public key, `U…`. */
export type User = (UserPassword | { readonly nkey: string }) & { readonly permissions?: Permissions };

/** Who may connect: one user, the holders of a token, or any of several users. */
export type Authorization =
  | ({ readonly kind: "user" } & UserPassword)
  | { readonly kind: "token"; readonly token: string }
  | {
      readonly kind: "users";
      readonly users: readonly User[];
      /** Of users that have none of their own. */
      readonly defaultPermissions?: Permissions;
      /** The user that a client is taken for that names none. */
      readonly noAuthUser?: string;
    };

/** What a client shows to be let in. */
export interface Login {
  readonly options: ConnectOptions;
  /** What it was asked to sign. */
  readonly nonce: string;
  /** Names in its certificate, the user's being among them; undefined when users are not known by certificates. */
  readonly certificateNames: readonly string[] | undefined;
  /** {@link Accepted.credential} of a client that was let in before: a secret that is still the same is not checked again. */
  readonly former?: string;
}

/** Undefined permissions allow everything. */
export interface Accepted {
  readonly kind: "accepted";
  readonly user: string;
  readonly permissions: CompiledPermissions | undefined;
  /** The same as long as the user has the same password or token; empty where none was checked. */
  readonly credential: string;
}

export type Verdict = Accepted | { readonly kind: "refused" };

/** Decides on the credentials of a `CONNECT`. */
export interface Authenticator {
  /** False when everybody may connect. */
  readonly required: boolean;
  /** There are users known by a key, who are to sign a nonce. */
  readonly needsNonce: boolean;
  /** What a client is taken for that says nothing, where that is allowed. */
  readonly anonymous: Verdict | undefined;
  /** At once, unless a hash has to be computed. */
  decide(login: Login): Verdict | Promise<Verdict>;
  /** What follows `authentication error` in the log: with several users, who tried. */
  describe(options: ConnectOptions): string;
}

const REFUSED: Verdict = { kind: "refused" };

/**
 * The authenticator for an authorization. Secrets are compared in constant time; an unknown user costs as much as a wrong
 * password in plain text.
 * @throws BrokerError `bad_option`
 */
export function createAuthenticator(
  authorization: Authorization | undefined,
  bcrypt: BcryptCompare | undefined,
): Authenticator {
  const secrets = new Secrets(bcrypt);
  const single = (
    decide: (options: ConnectOptions) => boolean | Promise<boolean>,
    user: string,
    credential: string,
  ): Authenticator => ({
    required: true,
    needsNonce: false,
    anonymous: undefined,
    decide({ options, former }) {
      if (!hasNoAccount(options)) return REFUSED;
      const isRight = former === credential || decide(options);
      return verdict(isRight, { kind: "accepted", user, permissions: undefined, credential });
    },
    describe: () => "",
  });
  switch (authorization?.kind) {
    case undefined:
      return {
        required: false,
        needsNonce: false,
        anonymous: undefined,
        decide: ({ options }) =>
          hasNoAccount(options)
            ? { kind: "accepted", user: options.user, permissions: undefined, credential: "" }
            : REFUSED,
        describe: () => "",
      };
    case "token": {
      const token = secrets.secret("token", authorization.token);
      return single((options) => token.matches(options.auth_token), "", credentialOf("token", authorization.token));
    }
    case "user": {
      const user = secrets.secret("user", authorization.user);
      const password = secrets.secret(`password of user "${authorization.user}"`, authorization.password);
      return single(
        (options) => both(user.matches(options.user), () => password.matches(options.pass)),
        authorization.user,
        credentialOf("user", authorization.user, authorization.password),
      );
    }
    case "users":
      return new UsersAuthenticator(authorization, secrets);
  }
}

class UsersAuthenticator implements Authenticator {
  readonly required = true;
  readonly needsNonce: boolean;
  readonly anonymous: Verdict | undefined;
  readonly #users = new Map<string, { readonly password: Secret; readonly accepted: Accepted }>();
  readonly #keys = new Map<string, { readonly key: KeyObject; readonly accepted: Accepted }>();
  readonly #nobody: Secret;

  constructor(options: Extract<Authorization, { readonly kind: "users" }>, secrets: Secrets) {
    const { users, defaultPermissions, noAuthUser = "" } = options;
    for (const one of users) {
      const name = "nkey" in one ? one.nkey : one.user;
      if (this.#users.has(name) || this.#keys.has(name)) {
        throw new BrokerError("bad_option", `user "${name}" is listed twice: remove one of them`);
      }
      const permissions = one.permissions ?? defaultPermissions;
      const accepted: Accepted = {
        kind: "accepted",
        user: name,
        credential: "nkey" in one ? "" : credentialOf("user", name, one.password),
        permissions: permissions === undefined ? undefined : compilePermissions(permissions, `user "${name}"`),
      };
      if ("nkey" in one) {
        const key = userKey(one.nkey);
        if (key === undefined)
          throw new BrokerError("bad_option", `"${one.nkey}" is not a valid public nkey for a user`);
        this.#keys.set(name, { key, accepted });
      } else {
        this.#users.set(name, { password: secrets.secret(`password of user "${name}"`, one.password), accepted });
      }
    }
    this.#nobody = secrets.secret("nobody", "");
    this.needsNonce = this.#keys.size > 0;
    if (noAuthUser !== "") {
      const user = this.#users.get(noAuthUser)?.accepted;
      if (user === undefined) {
        throw new BrokerError("bad_option", `noAuthUser is "${noAuthUser}", who is none of the users: add that user`);
      }
      // Whoever named no password has shown none.
      this.anonymous = { ...user, credential: "" };
    }
  }

  decide({ options, nonce, certificateNames, former }: Login): Verdict | Promise<Verdict> {
    if (!hasNoAccount(options)) return REFUSED;
    if (certificateNames !== undefined) {
      for (const name of certificateNames) {
        const user = this.#users.get(name);
        if (user !== undefined) return user.accepted;
      }
      return REFUSED;
    }
    if (options.nkey !== "") {
      const known = this.#keys.get(options.nkey);
      return known !== undefined && isSigned(nonce, options.sig, known.key) ? known.accepted : REFUSED;
    }
    if (this.anonymous !== undefined && options.user === "" && options.pass === "" && options.auth_token === "") {
      return this.anonymous;
    }
    const known = this.#users.get(options.user);
    if (known !== undefined && known.accepted.credential === former) return known.accepted;
    const isRight = (known?.password ?? this.#nobody).matches(options.pass);
    return known === undefined ? REFUSED : verdict(isRight, known.accepted);
  }

  describe(options: ConnectOptions): string {
    return this.needsNonce ? ` - Nkey ${JSON.stringify(options.nkey)}` : ` - User ${JSON.stringify(options.user)}`;
  }
}

/** There are no accounts here; a client that asks for one is refused, as the reference does without any configured. */
function hasNoAccount(options: ConnectOptions): boolean {
  return options.account === "";
}

/** Tells one secret of a user from another, without being of use to whoever learns it. */
function credentialOf(...parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64");
}

function verdict(isRight: boolean | Promise<boolean>, accepted: Verdict): Verdict | Promise<Verdict> {
  if (typeof isRight === "boolean") return isRight ? accepted : REFUSED;
  return isRight.then((right) => (right ? accepted : REFUSED));
}

/** Both are asked, unless the first takes its time. */
function both(first: boolean | Promise<boolean>, second: () => boolean | Promise<boolean>): boolean | Promise<boolean> {
  const other = second();
  if (typeof first === "boolean" && typeof other === "boolean") return first && other;
  return Promise.all([first, other]).then(([one, two]) => one && two);
}
