import type { RecoveryMode } from "@nats-streaming/store-file";

const MODES: Readonly<Record<RecoveryMode, true>> = { strict: true, quarantine: true, salvage: true };

/** What a start does about damaged files, as configured, in any letter case; undefined for a word that is none. */
export function recoveryMode(word: string): RecoveryMode | undefined {
  const lower = word.toLowerCase();
  return isMode(lower) ? lower : undefined;
}

function isMode(word: string): word is RecoveryMode {
  return Object.hasOwn(MODES, word);
}
