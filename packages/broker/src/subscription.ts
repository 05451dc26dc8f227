import type { BusHandler } from "@nats-streaming/kernel";
import type { Route } from "./cluster/route.ts";
import type { Connection } from "./connection.ts";
import { bytesOfKey } from "./subject-key.ts";

/**
 * Interest in a subject, of a connection, a local bus or another server: one class for all, so that the delivery loop stays
 * monomorphic.
 */
export class Subscription {
  /** The subject as a key: see {@link subjectKey}. */
  readonly subject: string;
  /** The queue group as a key, "" for none. */
  readonly queue: string;
  /** The subscriber's own number for it, as a key; "" on a local bus. */
  readonly sid: string;
  /** ` sid `: what stands between subject and size (or reply) of a `MSG`. */
  readonly sidPart: Uint8Array;
  /** Undefined on a local bus and of another server. */
  readonly connection: Connection | undefined;
  /** Undefined on a connection and of another server. */
  readonly handler: BusHandler | undefined;
  /** Where the other server is that has interest; undefined for interest here. */
  readonly route: Route | undefined;
  /** Messages delivered so far. */
  delivered = 0;
  /** Ends after this many messages in all; 0 for no end. */
  max = 0;
  /** Ended: nothing is delivered any more, although a delivery under way may still hold it. */
  closed = false;

  constructor(
    subject: string,
    queue: string,
    sid: string,
    connection: Connection | undefined,
    handler: BusHandler | undefined,
    route?: Route,
  ) {
    this.subject = subject;
    this.queue = queue;
    this.sid = sid;
    this.sidPart = bytesOfKey(` ${sid} `);
    this.connection = connection;
    this.handler = handler;
    this.route = route;
  }
}
