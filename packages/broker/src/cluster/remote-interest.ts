import { isValidSubject } from "@nats-streaming/subject";
import type { Router } from "../router.ts";
import { Subscription } from "../subscription.ts";
import { interestKey } from "./local-interest.ts";
import type { Route } from "./route.ts";

/**
 * Most subjects and queue groups that one other server may be interested in: about 4 GB of memory here. More is not a
 * server's need but its fault.
 */
export const REMOTE_INTERESTS_MAX = 8_388_608;

/** What the server at the other end of a route listens to. It counts for routing only while the route is in use. */
export class RemoteInterest {
  readonly #router: Router;
  readonly #route: Route;
  readonly #subscriptions = new Map<string, { subscription: Subscription; weight: number }>();
  #isInForce = false;

  constructor(router: Router, route: Route) {
    this.#router = router;
    this.#route = route;
  }

  get count(): number {
    return this.#subscriptions.size;
  }

  /** Keys of the subjects. */
  get subjects(): readonly string[] {
    return [...this.#subscriptions.values()].map(({ subscription }) => subscription.subject);
  }

  /** There is interest, or a queue group has another number of members. */
  gained(subject: string, queue: string, weight: number): "noted" | "invalid" | "too_many" {
    const key = interestKey(subject, queue);
    const known = this.#subscriptions.get(key);
    if (known !== undefined) {
      if (known.weight === weight) return "noted";
      known.weight = weight;
      if (this.#isInForce) this.#router.setWeight(known.subscription, weight);
      return "noted";
    }
    if (!isValidSubject(subject)) return "invalid";
    if (this.#subscriptions.size >= REMOTE_INTERESTS_MAX) return "too_many";
    const subscription = new Subscription(subject, queue, "", undefined, undefined, this.#route);
    this.#subscriptions.set(key, { subscription, weight });
    if (this.#isInForce) this.#router.add(subscription, weight);
    return "noted";
  }

  lost(subject: string, queue: string): void {
    const key = interestKey(subject, queue);
    const known = this.#subscriptions.get(key);
    if (known === undefined) return;
    this.#subscriptions.delete(key);
    if (this.#isInForce) this.#router.remove(known.subscription);
  }

  /** From now on it counts. */
  enforce(): void {
    if (this.#isInForce) return;
    this.#isInForce = true;
    for (const { subscription, weight } of this.#subscriptions.values()) this.#router.add(subscription, weight);
  }

  /** The route has ended. */
  end(): void {
    if (this.#isInForce) for (const { subscription } of this.#subscriptions.values()) this.#router.remove(subscription);
    this.#isInForce = false;
    this.#subscriptions.clear();
  }
}
