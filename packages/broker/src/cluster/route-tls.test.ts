import { recordingLogger } from "@nats-streaming/kernel/testing";
import { afterEach, describe, expect, it } from "vitest";
import { type Member, routeTo, startMember, until } from "../../testing/cluster.ts";
import { RawClient } from "../../testing/raw-client.ts";
import { AUTHORITY, CLIENT_PAIR, SERVER_PAIR, STRANGER_PAIR } from "../../testing/tls.ts";
import type { BrokerOptions } from "../options.ts";
import type { ClusterOptions } from "./cluster-options.ts";

const running: Member[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ broker }) => broker.close()));
});

async function start(cluster: Partial<ClusterOptions>, options: BrokerOptions = {}): Promise<Member> {
  const member = await startMember(cluster, options);
  running.push(member);
  return member;
}

const TLS = { ...SERVER_PAIR, authorities: AUTHORITY };

describe("routes with TLS", () => {
  it("form a mesh, also by host name, and carry messages", async () => {
    const a = await start({ tls: TLS });
    const b = await start({ tls: TLS, routes: [`nats://localhost:${a.routePort}`] });
    const c = await start({ tls: TLS, routes: [routeTo(a.routePort)] });
    await until(() => [a, b, c].every(({ broker }) => broker.routes().length === 2));
    const got: number[] = [];
    c.bus.subscribe("big", (message) => got.push(message.end - message.start));
    await until(() => b.broker.routes().some((route) => route.subscriptions().includes("big")));
    for (const size of [1, 500_000, 2]) b.bus.publish("big", new Uint8Array(size));
    await until(() => got.length === 3);
    expect(got).toEqual([1, 500_000, 2]);
  });

  it("do not come about in clear, nor with a server that the authority does not know, nor with a certificate that is not for servers", async () => {
    const logger = recordingLogger();
    const a = await start({ tls: TLS }, { logger });
    const clear = new RawClient(a.routePort);
    clear.send("CONNECT {}\r\n");
    await clear.rest();
    expect(clear.text).not.toContain("INFO");
    const stranger = recordingLogger();
    await start(
      { tls: { ...STRANGER_PAIR, authorities: AUTHORITY }, routes: [routeTo(a.routePort)] },
      { logger: stranger },
    );
    await until(() => logger.lines.filter((line) => line.includes("TLS route handshake error")).length >= 2);
    const impostor = await start({ tls: { ...CLIENT_PAIR, authorities: AUTHORITY } });
    const victim = recordingLogger();
    await start({ tls: TLS, routes: [routeTo(impostor.routePort)] }, { logger: victim });
    await until(() => victim.lines.some((line) => line.includes("TLS route handshake error")));
    expect(running.map(({ broker }) => broker.routes().length)).toEqual([0, 0, 0, 0]);
  });

  it("come about with anybody when the other's certificate is not to be checked", async () => {
    const a = await start({ tls: { ...CLIENT_PAIR, authorities: AUTHORITY } });
    const b = await start({ tls: { ...TLS, insecure: true }, routes: [routeTo(a.routePort)] });
    await until(() => [a, b].every(({ broker }) => broker.routes().length === 1));
  });
});
