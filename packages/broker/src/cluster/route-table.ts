import type { Route } from "./route.ts";
import { choose, isSettledAtOnce } from "./route-choice.ts";

/** What became of a route to a server that has introduced itself. */
export type Admission =
  /** It is the one in use. */
  | "active"
  /** There is another one, which stays: this one is to be closed. */
  | "duplicate"
  /** There is another one; which of them stays will show, at the latest when {@link RouteTable.settle} is called. */
  | "standby";

/** The routes to other servers by who is at the other end: at most one is in use to each. */
export class RouteTable {
  readonly #ownId: string;
  readonly #active = new Map<string, Route>();
  readonly #standby = new Map<string, Route[]>();

  constructor(ownId: string) {
    this.#ownId = ownId;
  }

  get size(): number {
    return this.#active.size;
  }

  /** The routes in use. */
  get routes(): readonly Route[] {
    return [...this.#active.values()];
  }

  has(remoteId: string): boolean {
    return this.#active.has(remoteId);
  }

  /** Takes in a route whose other end is known. One that it replaces is retired before this returns. */
  admit(route: Route): Admission {
    const { remoteId } = route;
    const current = this.#active.get(remoteId);
    if (current === undefined) {
      this.#use(route);
      return "active";
    }
    const choice = { ownId: this.#ownId, remoteId, current, next: route };
    if (!isSettledAtOnce(choice, route.info?.settles_by_id ?? false)) {
      this.#standby.set(remoteId, [...(this.#standby.get(remoteId) ?? []), route]);
      return "standby";
    }
    if (choose(choice) === "current") return "duplicate";
    this.#replace(current, route);
    return "active";
  }

  /** Decides on a route on standby, when the other server has not. */
  settle(route: Route): void {
    const { remoteId } = route;
    if (!this.#leaveStandby(route)) return;
    const current = this.#active.get(remoteId);
    if (current === undefined) this.#use(route);
    else if (choose({ ownId: this.#ownId, remoteId, current, next: route }) === "next") this.#replace(current, route);
    else route.retire();
  }

  /** A route has ended. Whether another one to the same server is in use now, which one on standby may have come to be. */
  remove(route: Route): boolean {
    const { remoteId } = route;
    this.#leaveStandby(route);
    if (this.#active.get(remoteId) !== route) return this.#active.has(remoteId);
    this.#active.delete(remoteId);
    const next = this.#standby.get(remoteId)?.[0];
    if (next === undefined) return false;
    this.#leaveStandby(next);
    this.#use(next);
    return true;
  }

  #use(route: Route): void {
    this.#active.set(route.remoteId, route);
    route.activate();
  }

  #replace(current: Route, next: Route): void {
    this.#active.set(next.remoteId, next);
    next.activate();
    current.retire();
  }

  #leaveStandby(route: Route): boolean {
    const waiting = this.#standby.get(route.remoteId);
    if (waiting?.includes(route) !== true) return false;
    const left = waiting.filter((other) => other !== route);
    if (left.length === 0) this.#standby.delete(route.remoteId);
    else this.#standby.set(route.remoteId, left);
    return true;
  }
}
