import type { Counter } from "prom-client";
import type { Integer } from "../source.ts";

/** The library only knows how to add; what is shown here is counted elsewhere. */
export function setCounter(counter: Counter, labels: { readonly server?: string }, value: Integer): void {
  counter.reset();
  counter.inc(labels, Number(value));
}
