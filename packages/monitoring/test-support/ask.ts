import { type Agent, type IncomingHttpHeaders, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";

/** An answer as it came over a socket. */
export interface HttpAnswer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: Agent;
  /** Asks by HTTPS and trusts this certificate. */
  readonly trusted?: string;
}

/** Asks a server of this machine. */
export function ask(port: number | undefined, path: string, options: AskOptions = {}): Promise<HttpAnswer> {
  const { method = "GET", headers = {}, agent, trusted } = options;
  return new Promise((resolve, reject) => {
    const target = { host: "127.0.0.1", port, path, method, headers };
    const request =
      trusted === undefined ? requestHttp({ ...target, agent }) : requestHttps({ ...target, ca: trusted });
    request.once("error", reject);
    request.once("response", (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => {
        body += piece;
      });
      response.once("error", reject);
      response.once("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    request.end();
  });
}
