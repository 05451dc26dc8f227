import type { Random } from "@nats-streaming/kernel";

/** What a client is to sign: eleven random bytes as fifteen characters, as nats-server has it. */
export function newNonce(random: Random): string {
  const bytes = new Uint8Array(11);
  random.fill(bytes);
  return Buffer.from(bytes).toString("base64url");
}
