import { type ConfigEntry, type ConfigError, readDuration, readInteger, valueText } from "@nats-streaming/config";
import type { Draft } from "./draft.ts";
import { atKey, natsError, unknownField } from "./nats-error.ts";
import type { PermissionOptions, ResponseOptions, SubjectOptions } from "./nats-options.ts";
import { safeNumber } from "./option.ts";

const PUBLISH = ["publish", "pub", "import"];
const SUBSCRIBE = ["subscribe", "sub", "export"];
const RESPONSES = ["allow_responses", "allow_response"];

/** Reads what a user may do, in any of the forms that nats-server takes. */
export function readPermissions(
  entry: ConfigEntry,
  keep: (permissions: PermissionOptions) => void,
): ConfigError | undefined {
  if (entry.value.kind !== "map") {
    return natsError(entry.position, `Expected permissions to be a map/struct, got ${valueText(entry.value)}`);
  }
  const permissions: Draft<PermissionOptions> = { publish: undefined, subscribe: undefined, responses: undefined };
  for (const inner of entry.value.entries.values()) {
    const error = readPermission(inner, inner.key.toLowerCase(), permissions);
    if (error !== undefined) return error;
  }
  keep(permissions);
  return undefined;
}

function readPermission(
  entry: ConfigEntry,
  key: string,
  permissions: Draft<PermissionOptions>,
): ConfigError | undefined {
  if (PUBLISH.includes(key)) {
    return readSubjects(entry, (subjects) => {
      permissions.publish = subjects;
    });
  }
  if (SUBSCRIBE.includes(key)) {
    return readSubjects(entry, (subjects) => {
      permissions.subscribe = subjects;
    });
  }
  if (RESPONSES.includes(key)) {
    return readResponses(entry, (responses) => {
      permissions.responses = responses;
    });
  }
  return unknownField(entry, [...PUBLISH, ...SUBSCRIBE, ...RESPONSES]);
}

/** A subject, several, or what is allowed and what is denied. */
function readSubjects(entry: ConfigEntry, keep: (subjects: SubjectOptions) => void): ConfigError | undefined {
  if (entry.value.kind !== "map") {
    return readList(entry, (allow) => keep({ allow, deny: undefined }));
  }
  const subjects: Draft<SubjectOptions> = { allow: undefined, deny: undefined };
  for (const inner of entry.value.entries.values()) {
    const key = inner.key.toLowerCase();
    if (key !== "allow" && key !== "deny") {
      return natsError(
        inner.position,
        `Unknown field name "${inner.key}" parsing subject permissions, only 'allow' or 'deny' are permitted`,
      );
    }
    const error = readList(inner, (list) => {
      subjects[key] = list;
    });
    if (error !== undefined) return error;
  }
  keep(subjects);
  return undefined;
}

function readList(entry: ConfigEntry, keep: (list: readonly string[]) => void): ConfigError | undefined {
  const { value } = entry;
  const items = value.kind === "array" ? value.items : [value];
  const list: string[] = [];
  for (const item of items) {
    if (item.kind !== "string") {
      const message =
        value.kind === "array"
          ? "Subject in permissions array cannot be cast to string"
          : `Expected subject permissions to be a subject, or array of subjects, got ${valueText(value)}`;
      return natsError(item.position, message, `write ${entry.key}: ["orders.*", "prices.>"]`);
    }
    list.push(item.value);
  }
  keep(list);
  return undefined;
}

function readResponses(
  entry: ConfigEntry,
  keep: (responses: ResponseOptions | undefined) => void,
): ConfigError | undefined {
  const { value } = entry;
  if (value.kind === "boolean") {
    keep(value.value ? { max: undefined, expires: undefined } : undefined);
    return undefined;
  }
  if (value.kind !== "map") {
    return natsError(entry.position, "error parsing response permissions, expected a boolean or a map");
  }
  const responses: Draft<ResponseOptions> = { max: undefined, expires: undefined };
  for (const inner of value.entries.values()) {
    switch (inner.key.toLowerCase()) {
      case "max":
      case "max_msgs":
      case "max_messages":
      case "max_responses": {
        const reading = readInteger(inner);
        if (reading.kind === "wrong") return atKey(reading.error, inner);
        responses.max = safeNumber(reading.value);
        break;
      }
      case "expires":
      case "expiration":
      case "ttl": {
        const reading = readDuration(inner);
        if (reading.kind === "wrong") return atKey(reading.error, inner);
        responses.expires = reading.value;
        break;
      }
      default:
        return unknownField(inner, ["max", "expires"]);
    }
  }
  keep(responses);
  return undefined;
}
