import { goQuote } from "./go-quote.ts";

/** What a peer is told behind `-ERR` that it may not do, to the letter of nats-server. Subjects and queues are keys. */
export const denialTexts = {
  /**
   * The user may not publish to the subject. The message is dropped; the connection stays.
   * Remedy: Allow it in `authorization { users }`, permissions `publish`. Streaming clients need `_STAN.>`: docs/security.md#what-permissions-separate.
   */
  publish: (subject: string): string => `Permissions Violation for Publish to ${goQuote(subject)}`,
  /**
   * The user may not listen to the subject. The connection stays.
   * Remedy: Allow it in `authorization { users }`, permissions `subscribe`. Streaming clients need `_INBOX.>`.
   */
  subscribe: (subject: string): string => `Permissions Violation for Subscription to ${goQuote(subject)}`,
  /**
   * The user may not listen to the subject in that queue group. The connection stays.
   * Remedy: Allow subject and queue in `authorization { users }`, permissions `subscribe`.
   */
  subscribeInQueue: (subject: string, queue: string): string =>
    `Permissions Violation for Subscription to ${goQuote(subject)} using queue ${goQuote(queue)}`,
  /**
   * The subject has more parts than `max_sub_tokens`. The connection stays.
   * Remedy: Raise `max_sub_tokens`, or take shorter subjects.
   */
  tooManyTokens: (subject: string): string =>
    `Permissions Violation for Subscription to ${goQuote(subject)}, too many tokens`,
  /**
   * A reload has taken the permission for a subscription that was there; it has ended.
   * Remedy: Allow it again, or let the client do without it.
   */
  subscriptionEnded: (subject: string, sid: string): string =>
    `Permissions Violation for Subscription to ${goQuote(subject)} (sid ${goQuote(sid)})`,
  /**
   * A server of another cluster name opens a route. The connection is closed.
   * Remedy: Give both the same `cluster { name }`, or take the route out.
   */
  clusterName: (theirs: string, own: string): string =>
    `Rejecting connection, cluster name ${JSON.stringify(theirs)} does not match ${JSON.stringify(own)}`,
} as const;
