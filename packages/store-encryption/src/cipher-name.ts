import { EncryptionError } from "./errors.ts";

/** AES-256 in GCM mode, or ChaCha20-Poly1305. */
export type CipherName = "AES" | "CHACHA";

/** Machines with instructions for AES; elsewhere ChaCha20 is faster. */
const AES_ARCHITECTURES: readonly string[] = ["ia32", "x64"];

/**
 * The cipher that a configured name means: any letter case; empty is what suits the machine.
 * @param architecture as `process.arch` has it
 * @throws EncryptionError `cipher_not_supported`
 * @see encryption.md 2
 */
export function cipherName(configured: string, architecture: string = process.arch): CipherName {
  const name = configured.toUpperCase();
  if (name === "") return AES_ARCHITECTURES.includes(architecture) ? "AES" : "CHACHA";
  if (name !== "AES" && name !== "CHACHA") throw new EncryptionError("cipher_not_supported");
  return name;
}
