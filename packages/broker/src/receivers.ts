import type { QueueMatch, SubjectMatch } from "@nats-streaming/subject";
import type { Route } from "./cluster/route.ts";
import type { Subscription } from "./subscription.ts";

/** Who gets the messages on one subject. */
export interface Receivers {
  /** Subscriptions on this server that belong to no queue group: each gets every message. */
  readonly values: readonly Subscription[];
  /** Queue groups: one member of each gets a message. Members may be on other servers. */
  readonly queues: readonly QueueMatch<Subscription>[];
  /** Routes to other servers where somebody listens outside of queue groups; each once. */
  readonly routes: readonly Route[];
}

const NO_ROUTES: readonly Route[] = [];

export const NO_RECEIVERS: Receivers = { values: [], queues: [], routes: NO_ROUTES };

/** Receivers on this server, without queue groups. */
export function localReceivers(values: readonly Subscription[]): Receivers {
  return { values, queues: [], routes: NO_ROUTES };
}

/**
 * The receivers that a match in the subject tree means.
 * @param hasRemotes whether the tree holds interest of other servers at all.
 */
export function receiversOf(match: SubjectMatch<Subscription>, hasRemotes: boolean): Receivers {
  const { values, queues } = match;
  if (!hasRemotes || values.every((value) => value.route === undefined)) return { values, queues, routes: NO_ROUTES };
  const here: Subscription[] = [];
  const routes = new Set<Route>();
  for (const value of values) {
    if (value.route === undefined) here.push(value);
    else routes.add(value.route);
  }
  return { values: here, queues, routes: [...routes] };
}

/** The receivers without subscriptions of connections that may not have messages on `subject`. */
export function withoutDenied({ values, queues, routes }: Receivers, subject: string): Receivers {
  const may = (subscription: Subscription): boolean => subscription.connection?.access.denies(subject) !== true;
  return {
    values: values.filter(may),
    queues: queues
      .map(({ queue, values: members }) => ({ queue, values: members.filter(may) }))
      .filter((group) => group.values.length > 0),
    routes,
  };
}
