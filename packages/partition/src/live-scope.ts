import type { ChannelScope } from "./channel-scope.ts";

/** A scope that stays the same object while the list behind it changes. */
export interface LiveScope {
  readonly scope: ChannelScope;
  /** @param next takes the place of the present one at once */
  replace(next: ChannelScope): void;
}

export function liveScope(first: ChannelScope): LiveScope {
  let present = first;
  return {
    scope: {
      get entries() {
        return present.entries;
      },
      get selfOverlaps() {
        return present.selfOverlaps;
      },
      firstMatch: (channel) => present.firstMatch(channel),
      owns: (channel) => present.owns(channel),
    },
    replace(next): void {
      present = next;
    },
  };
}
