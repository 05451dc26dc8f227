import { isElder, type Standing, type Tenure } from "./seniority.ts";

/** What has become of an objection to the list of a server that serves. */
type Ruling =
  /** The other one has not said yet since when it serves. */
  | "pending"
  /** It serves since later, or not at all: it has to go. */
  | "younger"
  /** It would answer if it could: it has gone, or is cut off for the moment. */
  | "absent"
  /** It may be of another kind, which never answers. */
  | "silent";

interface Objection {
  readonly message: string;
  ruling: Ruling;
}

/** Objections that are looked into in one check; a forger may send any number. */
const OBJECTIONS_MAX = 256;

/** How often a server that stays repeats its check because a younger one is still there. */
const RETRIES_MAX = 5;

/** What is to be done when a check with objections is over. */
export type ObjectionsResult =
  | { readonly kind: "none" }
  /** Not everybody has said yet since when it serves. */
  | { readonly kind: "pending" }
  /** This server has to end. */
  | { readonly kind: "conflict"; readonly message: string }
  /** Someone did not answer: it may be gone, so the list is sent once more, soon. */
  | { readonly kind: "repeat_soon" }
  /** Someone younger is still there. */
  | { readonly kind: "repeat_later" };

/** The objections that a serving server has met, over its checks. */
export interface Objections {
  /** A check begins. */
  clear(): void;
  /** @returns whether the other one's standing has to be asked for: it is new in this check. */
  add(serverId: string, message: string): boolean;
  /** @returns the message of the conflict when the other one is the elder: this server has to end. */
  rule(serverId: string, standing: Standing, own: Tenure): string | undefined;
  /** @param isFinal nobody is waited for any more */
  result(isFinal: boolean): ObjectionsResult;
}

export function createObjections(): Objections {
  const objections = new Map<string, Objection>();
  /** Who was silent in the check before. */
  let silentBefore: ReadonlySet<string> = new Set();
  let retries = 0;

  return {
    clear: () => objections.clear(),

    add(serverId, message): boolean {
      if (objections.has(serverId) || objections.size >= OBJECTIONS_MAX) return false;
      objections.set(serverId, { message, ruling: "pending" });
      return true;
    },

    rule(serverId, standing, own): string | undefined {
      const objection = objections.get(serverId);
      if (objection === undefined) return undefined;
      if (standing.kind === "serving" && isElder({ since: standing.since, serverId }, own)) return objection.message;
      if (standing.kind !== "silent") objection.ruling = "younger";
      else objection.ruling = standing.isKnown ? "absent" : "silent";
      return undefined;
    },

    result(isFinal): ObjectionsResult {
      const silent = new Set<string>();
      let younger = false;
      let absent = false;
      for (const [serverId, { ruling, message }] of objections) {
        if (ruling === "pending" && !isFinal) return { kind: "pending" };
        if (ruling === "younger" || ruling === "absent") {
          younger ||= ruling === "younger";
          absent ||= ruling === "absent";
          continue;
        }
        // It objects once more, and does not say since when it serves: the rule of the original.
        if (silentBefore.has(serverId)) return { kind: "conflict", message };
        silent.add(serverId);
      }
      silentBefore = silent;
      if (silent.size > 0) return { kind: "repeat_soon" };
      if (!younger && !absent) {
        retries = 0;
        return { kind: "none" };
      }
      retries++;
      if (retries > RETRIES_MAX) return { kind: "none" };
      return { kind: absent ? "repeat_soon" : "repeat_later" };
    },
  };
}
