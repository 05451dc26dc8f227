import type { Clock, Timer } from "@nats-streaming/kernel";
import { localSyslogMessage, remoteSyslogMessage, type SyslogSender } from "./syslog-message.ts";
import type { SyslogTransport } from "./syslog-transport.ts";
import type { LogTarget } from "./target.ts";

/** Lines that wait for a syslog server which is away; older ones are dropped, and their number is told. */
const WAITING_MAX = 1_000;
const RECONNECT_MILLIS = 1_000;

export interface SyslogTargetOptions {
  readonly sender: SyslogSender;
  readonly clock: Clock;
  /** Opened already, so that a start with a syslog that is not there can be refused. */
  readonly transport: SyslogTransport;
  /** Opens another one after `transport` was lost. */
  readonly connect: () => Promise<SyslogTransport>;
  readonly kind: "local" | "remote";
}

/** The syslog of this machine or of another one. A connection that is lost is opened again. @see operations.md 1.2 */
export function syslogTarget(options: SyslogTargetOptions): LogTarget {
  return new SyslogTarget(options);
}

class SyslogTarget implements LogTarget {
  readonly #options: SyslogTargetOptions;
  #transport: SyslogTransport | undefined;
  #waiting: string[] = [];
  #dropped = 0;
  #retry: Timer | undefined;
  #isClosed = false;

  constructor(options: SyslogTargetOptions) {
    this.#options = options;
    this.#use(options.transport);
  }

  write(level: Parameters<LogTarget["write"]>[0], text: string, now: { readonly millis: number }): void {
    if (this.#isClosed) return;
    const { sender, kind } = this.#options;
    const format = kind === "local" ? localSyslogMessage : remoteSyslogMessage;
    const message = format(sender, level, text, now.millis);
    if (this.#transport !== undefined) {
      this.#transport.send(message);
      return;
    }
    this.#waiting.push(message);
    if (this.#waiting.length <= WAITING_MAX) return;
    this.#waiting.shift();
    this.#dropped++;
  }

  reopen(): boolean {
    return false;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#retry?.cancel();
    await this.#transport?.close();
  }

  #use(transport: SyslogTransport): void {
    this.#transport = transport;
    transport.onLost(() => {
      if (this.#transport !== transport) return;
      this.#transport = undefined;
      this.#reconnectLater();
    });
    const waiting = this.#waiting;
    this.#waiting = [];
    const dropped = this.#dropped;
    this.#dropped = 0;
    for (const message of waiting) transport.send(message);
    if (dropped > 0) this.write("WRN", `${dropped} log lines were lost while syslog was away`, { millis: Date.now() });
  }

  #reconnectLater(): void {
    if (this.#isClosed) return;
    this.#retry = this.#options.clock.setTimer(RECONNECT_MILLIS, () => {
      this.#options.connect().then(
        (transport) => {
          if (this.#isClosed) void transport.close();
          else this.#use(transport);
        },
        () => this.#reconnectLater(),
      );
    });
  }
}
