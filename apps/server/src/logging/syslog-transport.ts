import { createSocket } from "node:dgram";
import { connect, type Socket } from "node:net";
import { errorText } from "@nats-streaming/kernel";

/** A way to a syslog server. */
export interface SyslogTransport {
  send(message: string): void;
  /** Calls back once when the way is lost; a datagram has none to lose. */
  onLost(listener: () => void): void;
  /** Settles when what was sent is on its way. */
  close(): Promise<void>;
}

/** Sockets of the local syslog daemon, in the order in which they are tried. */
const LOCAL_SOCKETS = ["/dev/log", "/var/run/syslog", "/var/run/log"];

const CONNECT_MILLIS = 5_000;

/**
 * Opens the way to `udp://host:port`, `tcp://host:port` or `unix:///path`.
 * @throws (rejects) Error with one sentence for people
 */
export async function connectRemoteSyslog(url: string): Promise<SyslogTransport> {
  const match = /^(udp|tcp|unix):\/\/(.+)$/.exec(url);
  const [, scheme, rest] = match ?? [];
  if (scheme === undefined || rest === undefined) {
    throw new Error(`invalid syslog address ${url}: write udp://host:port, tcp://host:port or unix:///path`);
  }
  if (scheme === "unix") return overStream(await connected(connect({ path: rest }), url));
  const { host, port } = hostAndPort(rest, url);
  return scheme === "udp" ? overDatagrams(host, port) : overStream(await connected(connect({ host, port }), url));
}

function hostAndPort(text: string, url: string): { host: string; port: number } {
  const [, host, digits] = /^\[?([^\]]*?)\]?:([0-9]{1,5})\/?$/.exec(text) ?? [];
  const port = Number(digits);
  if (host === undefined || !(port > 0 && port < 65_536)) {
    throw new Error(`invalid syslog address ${url}: it has no port, such as udp://localhost:514`);
  }
  return { host: host === "" ? "localhost" : host, port };
}

function overDatagrams(host: string, port: number): SyslogTransport {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  // Nobody listens, or the network is down: a datagram more or less is lost.
  socket.on("error", () => {});
  socket.unref();
  let underWay = 0;
  let drained = (): void => {};
  return {
    send(message) {
      underWay++;
      socket.send(message, port, host, () => {
        if (--underWay === 0) drained();
      });
    },
    onLost() {},
    async close() {
      if (underWay > 0) {
        await new Promise<void>((resolve) => {
          drained = resolve;
        });
      }
      socket.close();
    },
  };
}

function connected(socket: Socket, url: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      socket.destroy();
      reject(new Error(`unable to connect to syslog at ${url}: ${error.message}`));
    };
    const late = setTimeout(() => failed(new Error(`no answer within ${CONNECT_MILLIS / 1000}s`)), CONNECT_MILLIS);
    socket.once("error", failed);
    socket.once("connect", () => {
      clearTimeout(late);
      socket.off("error", failed);
      resolve(socket);
    });
    socket.once("close", () => clearTimeout(late));
  });
}

function overStream(socket: Socket): SyslogTransport {
  socket.unref();
  socket.on("error", () => {});
  return {
    send(message) {
      socket.write(message);
    },
    onLost(listener) {
      socket.once("close", listener);
    },
    async close() {
      await new Promise<void>((resolve) => {
        socket.removeAllListeners("close");
        socket.end(() => resolve());
        socket.once("close", () => resolve());
      });
    },
  };
}

/**
 * Opens the way to the syslog daemon of this machine.
 * @param load brings the optional package `unix-dgram`
 * @throws (rejects) Error with one sentence for people
 */
export async function connectLocalSyslog(
  load: () => Promise<unknown> = () => import("unix-dgram" as string),
  paths: readonly string[] = LOCAL_SOCKETS,
): Promise<SyslogTransport> {
  let unix: UnixDatagrams;
  try {
    unix = asUnixDatagrams(await load());
  } catch {
    const instead = "log to a file (-l) or to a syslog server (-r udp://localhost:514)";
    throw new Error(`the local syslog needs the optional package unix-dgram, which cannot be loaded: ${instead}`);
  }
  let reason = "";
  for (const path of paths) {
    try {
      return await overUnixDatagrams(unix, path);
    } catch (error) {
      reason ||= errorText(error);
    }
  }
  throw new Error(`there is no syslog daemon on this machine (${paths.join(", ")}): ${reason}`);
}

/** What is used of `unix-dgram`. */
interface UnixDatagrams {
  createSocket(type: "unix_dgram"): UnixSocket;
}

interface UnixSocket {
  on(event: "connect" | "congestion" | "writable" | "error", listener: (error: Error) => void): void;
  connect(path: string): void;
  send(message: Buffer): void;
  close(): void;
}

function asUnixDatagrams(loaded: unknown): UnixDatagrams {
  for (const candidate of [loaded, property(loaded, "default")]) {
    if (isUnixDatagrams(candidate)) return candidate;
  }
  throw new Error("no createSocket");
}

function isUnixDatagrams(value: unknown): value is UnixDatagrams {
  return typeof property(value, "createSocket") === "function";
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function overUnixDatagrams(unix: UnixDatagrams, path: string): Promise<SyslogTransport> {
  return new Promise((resolve, reject) => {
    const socket = unix.createSocket("unix_dgram");
    let lost = (): void => {};
    let isOpen = false;
    socket.on("error", (error) => {
      if (!isOpen) reject(error);
      else lost();
      isOpen = false;
    });
    socket.on("connect", () => {
      isOpen = true;
      resolve({
        send: (message) => socket.send(Buffer.from(message)),
        onLost(listener) {
          lost = listener;
        },
        async close() {
          socket.close();
        },
      });
    });
    socket.connect(path);
  });
}
