/** What a server calls the cluster it belongs to. */
export interface ClusterName {
  readonly name: string;
  /** The name was made up because none was given; it gives way to one that was, or to a greater one. */
  readonly isDynamic: boolean;
}

/**
 * What two servers that meet do about their clusters' names: go on, take the other's name, go on because the other takes this
 * one, or part. Both sides come to matching verdicts; a cluster in which nobody was given a name ends with the greatest.
 */
export function compareNames(own: ClusterName, theirs: ClusterName): "same" | "adopt" | "prevail" | "reject" {
  if (own.name === theirs.name) return "same";
  if (!own.isDynamic && !theirs.isDynamic) return "reject";
  if (own.isDynamic !== theirs.isDynamic) return own.isDynamic ? "adopt" : "prevail";
  return own.name < theirs.name ? "adopt" : "prevail";
}
