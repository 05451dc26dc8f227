import { createSubjectTree, isSubset, isValidSubject, type SubjectTree } from "@nats-streaming/subject";
import { BrokerError } from "./errors.ts";
import { isKey } from "./subject-key.ts";

/** What a user may do. What is left out is allowed. Subjects are byte strings and may hold wildcards. */
export interface Permissions {
  readonly publish?: SubjectPermission;
  /** Here an entry may name a queue group behind the subject: `orders.* workers`. */
  readonly subscribe?: SubjectPermission;
  /** Allows answers to messages that were received, which are else judged as any publish is. */
  readonly responses?: ResponsePermission;
}

/** Subjects that are allowed, all when left out; and of these, subjects that are not. */
export interface SubjectPermission {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

/** How far a client may answer messages on reply subjects that it may not publish to otherwise. */
export interface ResponsePermission {
  /** Answers to one message. Default 1; below 0 for no limit. */
  readonly maxMessages?: number;
  /** How long after a message it may be answered. Default 2 min; below 0 for no limit. */
  readonly expiresMillis?: number;
}

const RESPONSES_DEFAULT = 1;
const EXPIRES_DEFAULT_MILLIS = 120_000;

/** {@link Permissions} in the form in which they are looked up; one for all connections of a user. */
export interface CompiledPermissions {
  readonly publish: CompiledSubjects;
  readonly subscribe: CompiledSubjects;
  readonly responses: Required<ResponsePermission> | undefined;
}

interface CompiledSubjects {
  /** Undefined when everything is allowed. */
  readonly allow: SubjectTree<true> | undefined;
  readonly deny: SubjectTree<true> | undefined;
  /** Subjects denied outside of queue groups. */
  readonly denied: readonly string[];
}

/** @param who whose they are, for errors. @throws BrokerError `bad_option` */
export function compilePermissions(permissions: Permissions, who: string): CompiledPermissions {
  const { publish, subscribe, responses } = permissions;
  return {
    publish: compile(
      // Whoever may answer may publish nothing else, unless that is allowed by name.
      responses !== undefined && publish?.allow === undefined ? { ...publish, allow: [] } : publish,
      `publish permissions of ${who}`,
      false,
    ),
    // An empty list of allowed subscriptions allows all, as the reference has it.
    subscribe: compile(
      subscribe?.allow?.length === 0 ? { deny: subscribe.deny ?? [] } : subscribe,
      `subscribe permissions of ${who}`,
      true,
    ),
    responses:
      responses === undefined
        ? undefined
        : {
            maxMessages: responses.maxMessages || RESPONSES_DEFAULT,
            expiresMillis: responses.expiresMillis || EXPIRES_DEFAULT_MILLIS,
          },
  };
}

function compile(permission: SubjectPermission | undefined, what: string, withQueues: boolean): CompiledSubjects {
  const { allow, deny = [] } = permission ?? {};
  const denied = deny.filter((entry) => !entry.includes(" "));
  return {
    allow: allow === undefined ? undefined : treeOf(allow, what, withQueues),
    deny: deny.length === 0 ? undefined : treeOf(deny, what, withQueues),
    denied,
  };
}

function treeOf(entries: readonly string[], what: string, withQueues: boolean): SubjectTree<true> {
  const tree = createSubjectTree<true>();
  for (const entry of entries) {
    const [subject = "", queue = "", ...rest] = entry.trim().split(/\s+/);
    if (!isValidSubject(subject) || !isKey(entry) || rest.length > 0 || (queue !== "" && !withQueues)) {
      const form = withQueues ? "a subject, or a subject and a queue group" : "a subject";
      throw new BrokerError("bad_option", `${what}: "${entry}" is not ${form}`);
    }
    tree.insert(subject, true, { queue });
  }
  return tree;
}

/** Whether a message may be published on a subject, answers aside. */
export function mayPublish({ publish }: CompiledPermissions, subject: string): boolean {
  if (publish.allow !== undefined && !publish.allow.hasInterest(subject)) return false;
  return publish.deny === undefined || !publish.deny.hasInterest(subject);
}

/** Whether a subject may be listened to; `queue` is empty for none. */
export function maySubscribe({ subscribe }: CompiledPermissions, subject: string, queue: string): boolean {
  const { allow, deny } = subscribe;
  if (allow !== undefined && !isNamed(allow, subject, queue)) return false;
  return deny === undefined || !isNamed(deny, subject, queue);
}

/** Entries with queue groups, where there are any for the subject, decide for subscriptions in queue groups. */
function isNamed(tree: SubjectTree<true>, subject: string, queue: string): boolean {
  const { values, queues } = tree.matchGroups(subject);
  if (queue === "" || queues.length === 0) return values.length > 0;
  return queues.some((group) => group.queue === queue || (isPattern(group.queue) && isSubset(queue, group.queue)));
}

/**
 * Whether a subscription that is allowed covers subjects that are not: their messages are to be kept from it. Only of a
 * subscription with wildcards.
 */
export function needsFilter({ subscribe }: CompiledPermissions, subject: string): boolean {
  return isPattern(subject) && subscribe.denied.some((denied) => isSubset(denied, subject));
}

/** Whether messages on a subject are to be kept from subscriptions that need it. */
export function isDenied({ subscribe }: CompiledPermissions, subject: string): boolean {
  const { deny } = subscribe;
  return deny !== undefined && deny.match(subject).length > 0;
}

function isPattern(text: string): boolean {
  return text.split(".").some((token) => token === "*" || token === ">");
}
