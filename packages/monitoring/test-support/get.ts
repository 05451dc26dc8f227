import type { MessageAccess } from "../src/messagesz.ts";
import type { Asker } from "../src/response.ts";
import { monitoringRoutes } from "../src/routes.ts";
import { bodyText } from "./body-text.ts";
import { clockAt, type FakeSource } from "./fake-source.ts";
import { SAMPLE_TIMES } from "./golden.ts";

/** Somebody who has shown nothing, from elsewhere. */
export const STRANGER: Asker = { isTrusted: false, isLocal: false };

export interface Answer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: string;
}

export interface GetOptions {
  readonly time?: string;
  readonly asker?: Partial<Asker>;
  readonly messages?: MessageAccess;
}

/** Asks a streaming endpoint, without a socket. */
export async function get(source: FakeSource, target: string, options: GetOptions = {}): Promise<Answer> {
  const [path = "", query = ""] = target.split("?");
  const { time = SAMPLE_TIMES.serverz, messages } = options;
  const routes = monitoringRoutes(source, clockAt(time), messages === undefined ? {} : { messages });
  const route = routes.get(path);
  if (route === undefined) throw new Error(`no route ${path}`);
  const response = await route(new URLSearchParams(query), { ...STRANGER, ...options.asker });
  return { status: response.status, contentType: response.contentType, body: await bodyText(response) };
}
