import { invariant } from "@nats-streaming/kernel";
import type { FlagValue, GivenFlag } from "../flags/flag.ts";
import type { OptionsDraft } from "./draft.ts";
import { natsAuthorization, natsFlagOptions, natsGeneral } from "./nats-table.ts";
import { type OptionDefinition, safeNumber } from "./option.ts";
import { streamingSections } from "./streaming-table.ts";

/** Every option by its id. */
export const optionsById: ReadonlyMap<string, OptionDefinition<OptionsDraft>> = new Map(
  [
    ...streamingSections.flatMap((section) => section.options),
    ...natsGeneral,
    ...natsAuthorization,
    ...natsFlagOptions,
  ].map((option) => [option.id, option]),
);

/** Sets what the flags say, in the order given: over what a file said, and a later flag over an earlier one. */
export function applyFlags(flags: readonly GivenFlag[], draft: OptionsDraft): void {
  for (const { definition, value } of flags) {
    for (const id of definition.sets) {
      const option = optionsById.get(id);
      invariant(option !== undefined, `flag -${definition.names.join("/")} sets an unknown option: ${id}`);
      assign(option, value, draft);
    }
  }
  if (sets(flags, "cluster.peers")) dropOwnId(draft);
  if (!sets(flags, "nats.tls.enabled")) useTlsIfDescribed(draft);
}

function sets(flags: readonly GivenFlag[], id: string): boolean {
  return flags.some((flag) => flag.definition.sets.includes(id));
}

function assign(option: OptionDefinition<OptionsDraft>, given: FlagValue, draft: OptionsDraft): void {
  if (option.kind === "string" && given.kind === "string") {
    option.set(draft, given.value);
  } else if (option.kind === "bool" && given.kind === "bool") {
    option.set(draft, given.value);
  } else if (option.kind === "duration" && given.kind === "duration") {
    option.set(draft, given.value);
  } else if (option.kind === "strings" && given.kind === "list") {
    option.set(draft, given.value);
  } else if ((option.kind === "int" || option.kind === "size") && (given.kind === "int" || given.kind === "size")) {
    option.set(draft, safeNumber(given.value));
  } else {
    invariant(false, `option ${option.id} cannot be set by a flag of kind ${given.kind}`);
  }
}

/** A list of nodes that is the same on every node names each node itself. */
function dropOwnId(draft: OptionsDraft): void {
  const { clustering } = draft;
  clustering.peers = clustering.peers.filter((peer) => peer !== clustering.nodeId);
}

/** Whoever names a certificate wants TLS; `-tls=false` says that it is not wanted all the same. */
function useTlsIfDescribed(draft: OptionsDraft): void {
  const { certFile, keyFile, caFile, verify } = draft.natsTls;
  if (verify || certFile !== "" || keyFile !== "" || caFile !== "") draft.natsTls.enabled = true;
}
