import type { JSX } from "preact";
import type { Partitionsz, Readyz, Storez } from "../api/types.ts";
import { href } from "../route.ts";

export interface BannerProps {
  readonly ready: Readyz | undefined;
  readonly store: Storez | undefined;
  readonly map: Partitionsz | undefined;
  /** Why the server was not heard of; undefined when it was. */
  readonly silence: string | undefined;
}

/** Names that a line shows before it says how many more there are. */
const NAMES_MAX = 4;

/** What somebody has to look after, in the order in which it hurts. */
export function Banners({ ready, store, map, silence }: BannerProps): JSX.Element {
  const quarantined = store?.quarantined ?? [];
  const conflicts = map?.conflicts ?? [];
  return (
    <div class="banners" aria-live="polite">
      {silence !== undefined && (
        <p class="banner bad">
          <b>No answer.</b> {silence}. What is shown is the last that was heard; asking again.
        </p>
      )}
      {ready?.role === "failed" && (
        <p class="banner bad">
          <b>The server has failed</b> and serves nobody. Its log says why.
        </p>
      )}
      {quarantined.length > 0 && (
        <p class="banner bad">
          <b>
            {quarantined.length} {quarantined.length === 1 ? "channel is" : "channels are"} in quarantine
          </b>{" "}
          and not served: {names(quarantined.map(({ name }) => name))}. <a href={href.server}>Why</a>
        </p>
      )}
      {conflicts.length > 0 && (
        <p class="banner bad">
          <b>
            {map?.conflicts_total} {map?.conflicts_total === 1 ? "conflict" : "conflicts"}
          </b>{" "}
          between the channel lists of two servers: {names([...new Set(conflicts.map(({ name }) => name))])}.{" "}
          <a href={href.partitions}>Show the map</a>
        </p>
      )}
      {(map?.unowned_total ?? 0) > 0 && (
        <p class="banner warn">
          <b>
            {map?.unowned_total} stored {map?.unowned_total === 1 ? "channel has" : "channels have"} no owner
          </b>
          : {names(map?.unowned.map(({ channel }) => channel) ?? [])}. <a href={href.partitions}>Show the map</a>
        </p>
      )}
      {(ready?.role === "starting" || ready?.role === "recovering") && (
        <p class="banner info">
          <b>{ready.role === "recovering" ? "Reading the store" : "Starting"}.</b> Clients are served in a moment.
        </p>
      )}
      {ready?.role === "standby" && (
        <p class="banner info">
          <b>Standing by.</b> Another server of the fault tolerance group serves; this one takes over when that one
          ends.
        </p>
      )}
    </div>
  );
}

function names(all: readonly string[]): JSX.Element {
  const rest = all.length - NAMES_MAX;
  return (
    <>
      {all.slice(0, NAMES_MAX).map((name, i) => (
        <span key={name}>
          {i > 0 && ", "}
          <code>{name}</code>
        </span>
      ))}
      {rest > 0 && ` and ${rest} more`}
    </>
  );
}
