import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "@nats-streaming/kernel/testing";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { openEmbeddedNetwork } from "../harness/networks.ts";
import { type Stage, tempDir } from "../harness/stage.ts";
import { connectStan, type StanClient } from "../harness/stan.ts";
import { fixtureDirectory } from "../harness/store-server.ts";
import { launchServer, untilReady } from "../harness/streaming-server.ts";
import { suiteStage } from "../harness/test-stage.ts";
import { browserPath, startBrowser, takesImages, watchPage } from "./dashboard-browser.ts";
import { partitionConfig } from "./examples.ts";

/** Pictures show rates: they are gathered for so long beforehand. */
const GATHER_MILLIS = takesImages ? 45_000 : 0;

const EUROPE = ["orders.eu.*", "payments.>", "audit"];
const AMERICA = ["orders.us.*", "inventory.>"];

describe.skipIf(browserPath === undefined)("the dashboard", { timeout: 120_000 }, () => {
  const suite = suiteStage();
  const browser = suite.once(() => startBrowser(suite));

  describe("of a cluster of two partitions", () => {
    const cluster = suite.once(async () => startCluster(suite));
    const opened = suite.once(async () => {
      const { monitorPort } = await cluster();
      const watched = await watchPage(suite, await browser(), monitorPort);
      await watched.page.getByRole("heading", { name: "Partition map" }).waitFor();
      await sleep(GATHER_MILLIS);
      return watched;
    });

    it("shows server and role, live rates, the partition map and channels at a glance", async () => {
      const { page, picture } = await opened();
      await page.getByText("active", { exact: true }).waitFor();
      const { serverId, otherId } = await cluster();
      await expect.poll(() => page.locator(".brand code").textContent()).toBe(serverId);
      await untilRate(page);
      const map = page.getByRole("img", { name: /^Partition map/ });
      for (const text of [serverId, otherId, ...EUROPE, ...AMERICA, "this server"]) {
        await expect.poll(() => map.getByText(text, { exact: true }).count(), { message: text }).toBeGreaterThan(0);
      }
      await expect.poll(() => page.locator(".plot canvas").count()).toBe(2);
      await expect.poll(() => page.getByRole("link", { name: "orders.eu.new", exact: true }).count()).toBe(1);
      expect(await page.locator(".banner").count()).toBe(0);
      await picture("overview");
    });

    it("lists channels with rates and lag, finds them by name, and opens one by keys alone", async () => {
      const { page, open, picture } = await opened();
      await open("#/channels");
      await page.getByRole("heading", { name: /^Channels \(/ }).waitFor();
      await picture("channels");
      await page.locator("body").press("/");
      await page.keyboard.type("payments");
      await page.getByRole("heading", { name: "Channels (2)" }).waitFor();
      const names = () => page.locator("td:first-child").allTextContents();
      await expect.poll(names).toEqual(["payments.card", "payments.sepa"]);
      // From the field through the region of the table to the first channel.
      for (let i = 0; i < 8 && !(await isFocused(page, "payments.card")); i++) await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "payments.card", level: 1 }).waitFor();
    });

    it("shows a channel: limits, lag of a durable, of a stalled one and of a group, and its subscriptions", async () => {
      const { page, open, picture } = await opened();
      await open("#/channels/orders.eu.new");
      const lag = page.getByRole("region", { name: "Lag" });
      await lag.getByText("billing", { exact: true }).waitFor();
      await lag
        .getByText(/^stalled/)
        .first()
        .waitFor();
      await lag.getByText("warehouse:pickers").waitFor();
      await expect
        .poll(() => page.getByRole("region", { name: "Subscriptions" }).locator("tbody tr").count())
        .toBeGreaterThan(3);
      await page.locator(".message").first().click();
      await page.locator(".body pre").waitFor();
      await expect.poll(() => page.locator(".body pre").textContent()).toContain('  "amount": ');
      await picture("channel");
    });

    it("shows messages by sequence, by time and the last ones, as JSON, text and bytes", async () => {
      const { page, open } = await opened();
      await open("#/channels/audit");
      await page.locator(".message").first().waitFor();
      const choose = (label: string) => page.getByText(label, { exact: true }).click();
      const firstSequence = () => page.locator(".message .seq").first().textContent();
      await expect.poll(firstSequence).toBe("30");
      await choose("From sequence");
      await page.getByLabel("First sequence").fill("12");
      await page.locator(".message .seq").getByText("12", { exact: true }).waitFor();
      await expect.poll(firstSequence).toBe("12");
      await page.getByRole("button", { name: "Later" }).click();
      await page.locator(".message .seq").getByText("22", { exact: true }).waitFor();
      await page.getByRole("button", { name: "Earlier" }).click();
      await page.locator(".message .seq").getByText("13", { exact: true }).waitFor();
      await choose("From time");
      await page.locator(".message .seq").getByText("1", { exact: true }).waitFor();
      await page.locator(".message").first().press("Enter");
      const body = page.locator(".body pre");
      await expect.poll(() => body.textContent()).toBe("entry 1: \u00e4");
      await choose("Hex");
      await expect
        .poll(() => body.textContent())
        .toBe("000000  65 6e 74 72 79 20 31 3a 20 c3 a4                 entry 1: ..");
    });

    it("lists clients, and the subscriptions of one", async () => {
      const { page, open, picture } = await opened();
      await open("#/clients");
      await page.getByRole("link", { name: "billing-1", exact: true }).waitFor();
      await picture("clients");
      await page.getByRole("link", { name: "billing-1", exact: true }).click();
      await page.getByRole("heading", { name: "billing-1", level: 1 }).waitFor();
      await page.getByRole("region", { name: "Subscriptions" }).getByText("orders.eu.new").first().waitFor();
      await picture("client");
    });

    it("shows the lists of both servers, and facts and limits of this one", async () => {
      const { page, open, picture } = await opened();
      const { serverId, otherId } = await cluster();
      await open("#/partitions");
      const servers = page.getByRole("region", { name: "Servers" });
      await servers.getByText(otherId).waitFor();
      await expect.poll(() => servers.locator("tbody tr").count()).toBe(2);
      await picture("partitions");
      await open("#/server");
      await page.getByText("File descriptors").waitFor();
      await expect.poll(() => page.locator(".facts").textContent()).toContain(serverId);
      await expect
        .poll(() => page.getByRole("region", { name: "Limits" }).locator("tbody tr").count())
        .toBe(1 + EUROPE.length);
      await picture("server");
    });

    it("keeps the theme that was chosen, and can be used on a narrow screen", async () => {
      const { page, open } = await opened();
      await open("#/");
      await page.getByRole("button", { name: "Use the dark theme" }).click();
      expect(await page.locator("html").getAttribute("data-theme")).toBe("dark");
      await page.reload();
      expect(await page.locator("html").getAttribute("data-theme")).toBe("dark");
      await page.getByRole("button", { name: "Use the light theme" }).click();
      await page.setViewportSize({ width: 420, height: 800 });
      await page.getByRole("heading", { name: "Channels" }).waitFor();
      expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
      await page.setViewportSize({ width: 1_280, height: 800 });
      await page.evaluate("localStorage.clear()");
      await page.reload();
    });

    it("shows a conflict with a server that was refused, in words and in the picture", async () => {
      const { page, open, picture } = await opened();
      const { network, serverId } = await cluster();
      const refused = await network.runServer({ config: partitionConfig(["payments.card", "returns"]) });
      expect(refused.code).not.toBe(0);
      await open("#/partitions");
      const banner = page.locator(".banner.bad");
      await banner.getByText("conflict").waitFor({ timeout: 15_000 });
      await expect.poll(() => banner.textContent()).toContain("payments.");
      const conflicts = page.getByRole("region", { name: "Conflicts" });
      await expect.poll(() => conflicts.textContent()).toContain(serverId);
      await expect.poll(() => page.locator(".entry-node.conflict").count()).toBeGreaterThan(0);
      await expect.poll(() => page.locator('.tabs [aria-label="needs attention"]').count()).toBe(1);
      await picture("conflict");
    });

    it("loads nothing from elsewhere and reports no error", async () => {
      const { faults } = await opened();
      expect(faults).toEqual([]);
    });
  });

  it("names a channel in quarantine on every view, and why", async () => {
    const directory = await fixtureDirectory(suite, "corrupted-crc-no-idx");
    const monitorPort = await startServer(suite, ["-store", "file", "-dir", directory]);
    const { page, open, picture, faults } = await watchPage(suite, await browser(), monitorPort);
    const banner = page.locator(".banner.bad");
    await banner.getByText("1 channel is in quarantine").waitFor();
    await expect.poll(() => banner.textContent()).toContain("foo");
    await untilText(page, ".chip", "active");
    await untilRate(page, /^0/);
    await picture("quarantine");
    await banner.getByRole("link", { name: "Why" }).click();
    const table = page.getByRole("region", { name: "Channels in quarantine" });
    await table.getByText("foo", { exact: true }).waitFor();
    await expect.poll(() => table.textContent()).toMatch(/crc|checksum|damaged|corrupt/i);
    await picture("quarantine-why");
    await open("#/channels/foo");
    await page.getByText("In quarantine", { exact: true }).waitFor();
    // The browser itself notes that an answer was a 404.
    expect(faults.filter((fault) => !fault.includes("404"))).toEqual([]);
  });

  it("shows stored channels that are in nobody's list", async () => {
    const directory = await tempDir(suite);
    const file = ["-store", "file", "-dir", directory];
    const stage = suite;
    const port = await freePort();
    const before = await launchServer(stage, "before", [...file, "-a", "127.0.0.1", "-p", String(port)]);
    await untilReady(before);
    const client = await connectStan(stage, "writer", { port });
    for (const channel of ["kept", "forgotten.one", "forgotten.two"]) await client.publish(channel, "x");
    await client.close();
    await before.stop();
    const network = await openEmbeddedNetwork(stage);
    const monitorPort = await freePort();
    await network.startServer({
      config: partitionConfig(["kept", "also"]),
      args: ["-m", String(monitorPort), ...file],
    });
    const { page, open, picture } = await watchPage(stage, await browser(), monitorPort);
    await page.locator(".banner.warn").getByText("2 stored channels have no owner").waitFor();
    await open("#/partitions");
    const unowned = page.getByRole("region", { name: "Channels without owner" });
    await unowned.getByText("forgotten.one").waitFor();
    await expect.poll(() => page.locator(".entry-node.unowned").count()).toBe(2);
    await picture("unowned");
  });

  it("explains itself on an empty server", async () => {
    const monitorPort = await startServer(suite, []);
    const { page, open, picture, faults } = await watchPage(suite, await browser(), monitorPort);
    await page.getByText("There are no channels yet").waitFor();
    await untilRate(page, /^0/);
    await picture("empty");
    await open("#/clients");
    await page.getByText("No client is registered").waitFor();
    await open("#/partitions");
    await page.getByText("This server is not partitioned").waitFor();
    expect(faults).toEqual([]);
  });

  it("says that the server does not answer, and keeps what it knows", async () => {
    const port = await freePort();
    const monitorPort = await freePort();
    const args = ["-a", "127.0.0.1", "-p", String(port), "-m", String(monitorPort)];
    const child = await launchServer(suite, "one that ends", args);
    await untilReady(child);
    const { page } = await watchPage(suite, await browser(), monitorPort);
    await page.getByText("There are no channels yet").waitFor();
    await child.stop();
    await page.locator(".banner.bad").getByText("No answer.").waitFor({ timeout: 15_000 });
    expect(await page.getByText("There are no channels yet").count()).toBe(1);
  });
});

async function startServer(stage: Stage, args: readonly string[]): Promise<number> {
  const [port, monitorPort] = [await freePort(), await freePort()];
  const listen = ["-a", "127.0.0.1", "-p", String(port), "-m", String(monitorPort)];
  await untilReady(await launchServer(stage, `server with ${args.join(" ")}`, [...listen, ...args]));
  return monitorPort;
}

/** Two servers that share the channels, and clients of all kinds. */
async function startCluster(stage: Stage) {
  const network = await openEmbeddedNetwork(stage);
  const monitorPort = await freePort();
  const server = await network.startServer({ config: partitionConfig(EUROPE), args: ["-m", String(monitorPort)] });
  const other = await network.startServer({ config: partitionConfig(AMERICA) });
  const shop = await connectStan(stage, "shop", { port: network.port });
  const billing = await connectStan(stage, "billing-1", { port: network.port });
  const pickers = await connectStan(stage, "warehouse-7", { port: network.port });
  for (let i = 1; i <= 30; i++) await shop.publish("audit", `entry ${i}: \u00e4`);
  for (const channel of ["payments.card", "payments.sepa", "orders.us.new", "inventory.eu.berlin"]) {
    for (let i = 0; i < 12; i++)
      await shop.publish(channel, JSON.stringify({ channel, amount: 100 + i, currency: "EUR" }));
  }
  const orders = "orders.eu.new";
  await billing.subscribe(orders, { durableName: "billing" });
  await billing.subscribe(orders, { durableName: "archive", manualAcks: true, maxInFlight: 8, ackWaitMillis: 60_000 });
  await billing.subscribe("payments.card", {});
  const offline = await billing.subscribe(orders, { durableName: "reports" });
  await offline.close();
  for (let i = 0; i < 2; i++) await pickers.subscribe(orders, { queueGroup: "pickers", durableName: "warehouse" });
  await publishOn(stage, shop, ["orders.eu.new", "orders.eu.changed", "payments.card"]);
  return { network, monitorPort, serverId: server.serverId, otherId: other.serverId };
}

/** Publishes for as long as the stage stands, with ups and downs. */
async function publishOn(stage: Stage, client: StanClient, channels: readonly string[]): Promise<void> {
  let isOver = false;
  const loop = async (): Promise<void> => {
    for (let round = 0; !isOver; round++) {
      const burst = 6 + Math.round(5 * Math.sin(round / 9)) + (round % 5);
      const sent = Array.from({ length: burst }, (_, i) => {
        const order = {
          order: round * 10 + i,
          customer: `c-${(round * 7) % 97}`,
          amount: 1999 + i,
          items: [{ sku: "A-17", count: 2 }],
        };
        return client.publish(channels[(round + i) % channels.length] ?? "", JSON.stringify(order));
      });
      await Promise.all(sent);
      // The pace of the publisher, nothing that is waited for.
      await sleep(100);
    }
  };
  const running = loop().catch(() => {});
  stage.defer(async () => {
    isOver = true;
    await running;
  });
  await client.publish(channels[0] ?? "", "{}");
}

/** Waits until two answers have shown how fast messages come. */
async function untilRate(page: Page, rate = /^[1-9]/): Promise<void> {
  await page.locator(".tile:first-child dd").filter({ hasText: rate }).waitFor();
}

async function untilText(page: Page, selector: string, text: string): Promise<void> {
  await page.locator(selector).getByText(text, { exact: true }).first().waitFor();
}

async function isFocused(page: Page, text: string): Promise<boolean> {
  return (await page.locator(":focus").textContent()) === text;
}
