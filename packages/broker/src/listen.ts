import type { Server } from "node:net";
import { hostPort } from "./cluster/route-url.ts";
import { BrokerError } from "./errors.ts";

/** Where to listen, and what the errors call it. */
export interface ListenPlace {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly what: "port" | "route port";
}

/** Connections that may wait to be accepted. */
const BACKLOG = 1_024;

/**
 * Opens a listener and returns the port that was taken.
 * @param onAcceptError told when a connection could not be accepted, for want of file descriptors for example: that harms
 * nobody else.
 * @throws BrokerError `listen_failed`
 */
export function listenOn(server: Server, where: ListenPlace, onAcceptError: (error: Error) => void): Promise<number> {
  return new Promise<number>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const place = hostPort(where.host, where.port);
      const text = `Error listening on ${where.what}: ${place}, "listen tcp ${place}: ${bindFault(cause)}"`;
      reject(new BrokerError("listen_failed", text, { cause }));
    });
    server.listen({ host: where.host, port: where.port, backlog: BACKLOG }, () => {
      server.removeAllListeners("error");
      server.on("error", onAcceptError);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

/** Why an address could not be taken, in the words of nats-server's log. */
function bindFault(cause: NodeJS.ErrnoException): string {
  switch (cause.code) {
    case "EADDRINUSE":
      return "bind: address already in use";
    case "EACCES":
      return "bind: permission denied";
    case "EADDRNOTAVAIL":
      return "bind: cannot assign requested address";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "lookup: no such host";
    default:
      return cause.message;
  }
}
