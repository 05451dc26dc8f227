import { type ConfigEntry, type ConfigError, type ConfigValue, readMap, valueText } from "@nats-streaming/config";
import type { Draft, OptionsDraft } from "./draft.ts";
import { atKey, natsError, unknownField } from "./nats-error.ts";
import type { UserOptions } from "./nats-options.ts";
import {
  AUTHORIZATION_KEYS,
  CONNECTION_TYPE_KEYS,
  natsAuthorization,
  PERMISSION_KEYS,
  userOptions,
} from "./nats-table.ts";
import type { OptionWarning } from "./option-warning.ts";
import { keysOf, readMapInto } from "./read-map.ts";
import { readPermissions } from "./read-permissions.ts";
import { readSeconds } from "./read-seconds.ts";

/** Reads the NATS `authorization` block. */
export function readAuthorization(
  entry: ConfigEntry,
  draft: OptionsDraft,
  warnings: OptionWarning[],
): ConfigError | undefined {
  const block = readMap(entry);
  if (block.kind === "wrong") return atKey(block.error, entry);
  const other = (inner: ConfigEntry, key: string): ConfigError | undefined => {
    switch (key) {
      case "timeout":
        return readSeconds(inner, (timeout) => {
          draft.authorization.timeout = timeout;
        });
      case "users":
        return readUsers(inner, draft, warnings);
      case "permissions":
      case "default_permission":
      case "default_permissions":
        return readPermissions(inner, (permissions) => {
          draft.authorization.defaultPermissions = permissions;
        });
      default:
        return unknownField(inner, [...keysOf(natsAuthorization), ...AUTHORIZATION_KEYS]);
    }
  };
  const outcome = readMapInto(block.value, {
    options: natsAuthorization,
    target: draft,
    warnings,
    other,
    explain: atKey,
  });
  return outcome.kind === "wrong" ? outcome.error : refuseMixture(entry, draft);
}

/** One way to log in excludes the others. */
function refuseMixture(entry: ConfigEntry, draft: OptionsDraft): ConfigError | undefined {
  const { user, password, token, users } = draft.authorization;
  const single = user !== "" || password !== "";
  if (single && token !== "") return natsError(entry.position, "Cannot have a user/pass and token");
  if (single && users.length > 0) {
    return natsError(entry.position, "Can not have a single user/pass and a users array");
  }
  if (token !== "" && users.length > 0) return natsError(entry.position, "Can not have a token and a users array");
  return undefined;
}

function readUsers(entry: ConfigEntry, draft: OptionsDraft, warnings: OptionWarning[]): ConfigError | undefined {
  if (entry.value.kind !== "array") {
    const hint = 'write users: [ { user: "a", password: "b" } ]';
    return natsError(entry.position, `Expected users field to be an array, got ${valueText(entry.value)}`, hint);
  }
  const users: UserOptions[] = [];
  for (const item of entry.value.items) {
    const user: Draft<UserOptions> = { user: "", password: "", nkey: "", permissions: undefined };
    const error = readUser(item, user, warnings);
    if (error !== undefined) return error;
    if (users.some((known) => nameOf(known) === nameOf(user))) {
      return natsError(item.position, `Duplicate user "${nameOf(user)}" detected`);
    }
    users.push(user);
  }
  draft.authorization.users = users;
  return undefined;
}

function readUser(item: ConfigValue, user: Draft<UserOptions>, warnings: OptionWarning[]): ConfigError | undefined {
  if (item.kind !== "map") {
    return natsError(item.position, `Expected user entry to be a map/struct, got ${valueText(item)}`);
  }
  const other = (inner: ConfigEntry, key: string): ConfigError | undefined => {
    if (PERMISSION_KEYS.includes(key)) {
      return readPermissions(inner, (permissions) => {
        user.permissions = permissions;
      });
    }
    if (CONNECTION_TYPE_KEYS.includes(key)) {
      const message = `"${inner.key}" has no effect: the embedded NATS server knows one kind of connection only`;
      warnings.push({ code: "no_effect", message, position: inner.position });
      return undefined;
    }
    return unknownField(inner, [...keysOf(userOptions), ...PERMISSION_KEYS]);
  };
  const outcome = readMapInto(item, { options: userOptions, target: user, warnings, other, explain: atKey });
  if (outcome.kind === "wrong") return outcome.error;
  return nameOf(user) === "" ? natsError(item.position, "User entry requires a user") : undefined;
}

function nameOf(user: UserOptions): string {
  return user.user === "" ? user.nkey : user.user;
}
