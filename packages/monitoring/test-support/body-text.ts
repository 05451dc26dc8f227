import type { MonitoringResponse } from "../src/index.ts";

/** The whole body of an answer. */
export async function bodyText({ body }: MonitoringResponse): Promise<string> {
  if (typeof body === "string" || body instanceof Uint8Array) return String(body);
  let text = "";
  for await (const piece of body) text += piece;
  return text;
}
