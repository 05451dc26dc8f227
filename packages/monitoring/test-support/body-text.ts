import type { MonitoringResponse } from "../src/index.ts";

/** The whole body of an answer. */
export async function bodyText({ body }: MonitoringResponse): Promise<string> {
  if (typeof body === "string" || body instanceof Uint8Array) return Buffer.from(body).toString();
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString();
}
