import { type Clock, systemClock } from "@nats-streaming/kernel";
import { describe, expect, it } from "vitest";
import { bodyText } from "../../test-support/body-text.ts";
import { busySource } from "../../test-support/busy-source.ts";
import { parseExposition } from "../../test-support/exposition.ts";
import {
  clockAt,
  FakeSource,
  fakeBacklog,
  fakeChannel,
  fakeSubscription,
  UNLIMITED,
} from "../../test-support/fake-source.ts";
import { STRANGER } from "../../test-support/get.ts";
import { SAMPLE_TIMES } from "../../test-support/golden.ts";
import type { BacklogSnapshot } from "../backlog-snapshot.ts";
import { TURN_UNITS_MAX } from "../turns.ts";
import { METRIC_BACKLOGS_MAX, METRIC_CHANNELS_MAX, METRIC_SUBSCRIPTIONS_MAX } from "./channel-metrics.ts";
import { createMetrics } from "./metrics-route.ts";

async function scrape(source: FakeSource, clock: Clock = clockAt(SAMPLE_TIMES.serverz)): Promise<string> {
  const metrics = createMetrics(source, clock);
  const text = await bodyText(await metrics.route(new URLSearchParams(), STRANGER));
  metrics.close();
  return text;
}

/** The value of one series, named as in the text. */
async function value(source: FakeSource, series: string): Promise<number | undefined> {
  const { samples } = parseExposition(await scrape(source));
  return samples.get(series);
}

describe("/metrics", () => {
  it("answers in the exposition format: every family once, whole, with help and type", async () => {
    const metrics = createMetrics(busySource(), clockAt(SAMPLE_TIMES.serverz));
    const response = await metrics.route(new URLSearchParams(), STRANGER);
    const { status, contentType } = response;
    metrics.close();
    expect({ status, contentType }).toEqual({ status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8" });
    const { families, samples } = parseExposition(await bodyText(response));
    expect(families.size).toBeGreaterThan(40);
    expect(samples.size).toBeGreaterThan(families.size);
  });

  it("has the names and the labels of the exporter", async () => {
    const { samples } = parseExposition(await scrape(busySource()));
    const server = 'server="test-cluster"';
    const channel = `${server},channel="foo"`;
    const subscription = `${channel},client_id="client-A",inbox="_INBOX.aSGF008h1vUyNNcMS3xf7q",queue_name="",is_durable="false",is_offline="false"`;
    for (const series of [
      ...["nss_server_bytes_total", "nss_server_msgs_total", "nss_server_channels", "nss_server_subscriptions"].map(
        (name) => `${name}{${server}}`,
      ),
      `nss_server_clients{${server}}`,
      ...["nss_chan_bytes_total", "nss_chan_msgs_total", "nss_chan_last_seq"].map((name) => `${name}{${channel}}`),
      ...["nss_chan_subs_last_sent", "nss_chan_subs_pending_count", "nss_chan_subs_max_inflight"].map(
        (name) => `${name}{${subscription}}`,
      ),
    ]) {
      expect(samples.has(series), series).toBe(true);
    }
    const [info] = [...samples.keys()].filter((series) => series.startsWith("nss_server_info"));
    for (const label of ["server", "cluster_id", "server_id", "version", "go_version", "state", "role", "start_time"]) {
      expect(info).toContain(`${label}="`);
    }
  });

  it("counts what the server has done, and starts again with it", async () => {
    const source = busySource();
    expect(await value(source, 'nss_server_in_msgs_total{server="test-cluster"}')).toBe(4);
    expect(await value(source, 'nss_server_redelivered_msgs_total{server="test-cluster"}')).toBe(3);
    source.serverSnapshot = { ...source.serverSnapshot, inMessages: 9 };
    expect(await value(source, 'nss_server_in_msgs_total{server="test-cluster"}')).toBe(9);
  });

  it("shows the same counter at each scrape", async () => {
    const source = busySource();
    const metrics = createMetrics(source, clockAt(SAMPLE_TIMES.serverz));
    for (let i = 0; i < 2; i++) {
      const { samples } = parseExposition(await bodyText(await metrics.route(new URLSearchParams(), STRANGER)));
      expect(samples.get('nss_server_in_msgs_total{server="test-cluster"}')).toBe(4);
    }
    metrics.close();
  });

  it("prints histograms in seconds, each bucket with those below it", async () => {
    const source = busySource();
    source.workSnapshot = {
      redelivered: 0,
      publishLatency: { bounds: [0.5, 10], counts: [3, 2, 1], sum: 60_000, count: 6 },
      flushLatency: { bounds: [1], counts: [0, 0], sum: 0, count: 0 },
    };
    const { samples } = parseExposition(await scrape(source));
    const of = (name: string): number | undefined => samples.get(`nss_publish_latency_seconds${name}`);
    expect(of('_bucket{server="test-cluster",le="0.0005"}')).toBe(3);
    expect(of('_bucket{server="test-cluster",le="0.01"}')).toBe(5);
    expect(of('_bucket{server="test-cluster",le="+Inf"}')).toBe(6);
    expect(of('_sum{server="test-cluster"}')).toBe(60);
    expect(of('_count{server="test-cluster"}')).toBe(6);
  });

  it("shows the lag of durables and groups, not of plain subscriptions", async () => {
    const source = new FakeSource();
    const nowMillis = Date.parse("2026-11-22T13:57:50.633Z");
    const backlogs: BacklogSnapshot[] = [
      fakeBacklog({
        lagMessages: 5,
        lagBytes: 500,
        oldestSequence: 2,
        oldestMillis: nowMillis - 2_500,
        pendingCount: 1,
      }),
      fakeBacklog({
        kind: "group",
        name: "dur:grp",
        clientId: "",
        stalledCount: 2,
        stalledMillis: 1_500,
        redelivering: 4,
      }),
      fakeBacklog({ kind: "plain", name: "", stalledCount: 1, stalledMillis: 9_000 }),
    ];
    source.channels.set("foo", fakeChannel("foo", {}, [fakeSubscription()], backlogs));
    const { samples } = parseExposition(await scrape(source));
    const durable = '{server="test-cluster",channel="foo",kind="durable",name="dur",client_id="client-A"}';
    const group = '{server="test-cluster",channel="foo",kind="group",name="dur:grp",client_id=""}';
    const shown = (labels: string): (number | undefined)[] =>
      ["messages", "bytes", "oldest_age_seconds", "pending_messages", "redelivering_messages", "stalled_seconds"].map(
        (name) => samples.get(`nss_lag_${name}${labels}`),
      );
    expect(shown(durable)).toEqual([5, 500, 2.5, 1, 0, 0]);
    expect(shown(group)).toEqual([0, 0, 0, 0, 4, 1.5]);
    expect([...samples.keys()].filter((series) => series.includes('kind="plain"'))).toEqual([]);
    expect(samples.get('nss_chan_stalled_subscriptions{server="test-cluster",channel="foo"}')).toBe(3);
    expect(samples.get('nss_chan_stalled_seconds{server="test-cluster",channel="foo"}')).toBe(9);
  });

  it("leaves out an age that only the disk knows, and has it at the next scrape", async () => {
    const source = new FakeSource();
    let oldestMillis: number | undefined;
    const load = async (): Promise<void> => {
      oldestMillis = Date.parse("2026-11-22T13:57:40.633Z");
    };
    source.channels.set("foo", {
      ...fakeChannel("foo", {}, [fakeSubscription()]),
      backlogs: () => [
        fakeBacklog({
          lagMessages: 1,
          oldestSequence: 1,
          oldestMillis,
          ...(oldestMillis === undefined ? { load } : {}),
        }),
      ],
    });
    const series =
      'nss_lag_oldest_age_seconds{server="test-cluster",channel="foo",kind="durable",name="dur",client_id="client-A"}';
    expect(await value(source, series)).toBeUndefined();
    expect(await value(source, series)).toBe(10);
  });

  it("shows no more channels, subscriptions and backlogs than their bounds, and counts the rest", async () => {
    const source = new FakeSource();
    for (let i = 0; i < METRIC_CHANNELS_MAX + 10; i++) {
      const name = `ch.${String(i).padStart(5, "0")}`;
      const subscriptions = [
        fakeSubscription({ inbox: `_INBOX.${i}.a` }),
        fakeSubscription({ inbox: `_INBOX.${i}.b` }),
      ];
      const backlogs = [fakeBacklog({ name: "a" }), fakeBacklog({ name: "b" })];
      source.channels.set(name, fakeChannel(name, {}, subscriptions, backlogs));
    }
    const { samples } = parseExposition(await scrape(source, systemClock()));
    const count = (name: string): number =>
      [...samples.keys()].filter((series) => series.startsWith(`${name}{`)).length;
    expect(count("nss_chan_last_seq")).toBe(METRIC_CHANNELS_MAX);
    expect(count("nss_chan_subs_last_sent")).toBe(METRIC_SUBSCRIPTIONS_MAX);
    expect(count("nss_lag_messages")).toBe(METRIC_BACKLOGS_MAX);
    const leftOut = (kind: string): number | undefined =>
      samples.get(`nss_metrics_left_out{server="test-cluster",kind="${kind}"}`);
    expect(leftOut("channels")).toBe(10);
    expect(leftOut("subscriptions")).toBe(2 * METRIC_CHANNELS_MAX - METRIC_SUBSCRIPTIONS_MAX);
    expect(leftOut("backlogs")).toBe(2 * METRIC_CHANNELS_MAX - METRIC_BACKLOGS_MAX);
  });

  it("gives up its turn every few milliseconds", async () => {
    const source = new FakeSource();
    for (let i = 0; i < 40; i++) source.channels.set(`ch.${i}`, fakeChannel(`ch.${i}`));
    let now = 0;
    let pauses = 0;
    const clock: Clock = {
      ...clockAt(SAMPLE_TIMES.serverz),
      // Each look at the clock costs half a millisecond.
      monotonicMillis: () => (now += 0.5),
      defer: (callback) => {
        pauses++;
        queueMicrotask(callback);
      },
    };
    await scrape(source, clock);
    expect(pauses).toBeGreaterThanOrEqual(8);
  });

  it("reads and prints a bounded number of channels in a turn, though the clock stands still", async () => {
    const source = new FakeSource();
    for (let i = 0; i < METRIC_CHANNELS_MAX; i++) source.channels.set(`ch.${i}`, fakeChannel(`ch.${i}`));
    const perTurn: number[] = [];
    const clock: Clock = {
      ...clockAt(SAMPLE_TIMES.serverz),
      monotonicMillis: () => 0,
      defer: (callback) => {
        perTurn.push(source.channels.found.length);
        queueMicrotask(callback);
      },
    };
    const metrics = createMetrics(source, clock);
    const { body } = await metrics.route(new URLSearchParams(), STRANGER);
    metrics.close();
    const pieces: Uint8Array[] = [];
    for await (const piece of body as AsyncGenerator<Uint8Array>) pieces.push(piece);
    const read = perTurn.map((found, i) => found - (perTurn[i - 1] ?? 0));
    expect(source.channels.found).toHaveLength(METRIC_CHANNELS_MAX);
    expect(Math.max(...read)).toBeLessThanOrEqual(TURN_UNITS_MAX / 4);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(65_536);
    expect(parseExposition(Buffer.concat(pieces).toString()).samples.size).toBeGreaterThan(7 * METRIC_CHANNELS_MAX);
  });

  it("escapes labels", async () => {
    const source = new FakeSource();
    source.channels.set('a"b\\c\nd', fakeChannel('a"b\\c\nd'));
    expect(await scrape(source)).toContain('nss_chan_last_seq{server="test-cluster",channel="a\\"b\\\\c\\nd"} 0');
  });

  it("answers for a server that serves nothing yet, and fails with a store that fails", async () => {
    const source = new FakeSource();
    source.serverSnapshot = { ...source.serverSnapshot, phase: "recovering" };
    const { samples } = parseExposition(await scrape(source));
    expect(samples.get('nss_server_role{server="test-cluster",role="recovering"}')).toBe(1);
    expect(samples.get('nss_server_role{server="test-cluster",role="active"}')).toBe(0);
    source.totalsFailure = new Error("on purpose");
    await expect(scrape(source)).rejects.toThrow("on purpose");
  });

  it("shows how the commit log and its checkpoints are doing", async () => {
    const { samples } = parseExposition(await scrape(busySource()));
    const of = (name: string): number | undefined => samples.get(`nss_store_${name}{server="test-cluster"}`);
    expect(of("commit_log_bytes")).toBe(1_000);
    expect(of("commit_log_disk_bytes")).toBe(50_331_648);
    expect(of("checkpoints_total")).toBe(2);
    expect(of("checkpoint_failures_total")).toBe(1);
    expect(of("checkpoint_age_seconds")).toBe(60);
  });

  it("has no family for what a store does not have, before and after it had it", async () => {
    const source = busySource();
    const metrics = createMetrics(source, clockAt(SAMPLE_TIMES.serverz));
    const families = async (): Promise<string[]> => {
      const body = await bodyText(await metrics.route(new URLSearchParams(), STRANGER));
      return [...body.matchAll(/^# TYPE (nss_store_\w+)/gm)].map(([, name]) => name ?? "");
    };
    expect(await families()).toHaveLength(7);
    source.storageSnapshot = { openFiles: 3, cachedBytes: 0 };
    expect(await families()).toEqual(["nss_store_open_files", "nss_store_cached_bytes"]);
    source.storageSnapshot = undefined;
    expect(await families()).toEqual([]);
    source.storageSnapshot = { commitLogBytes: 0, checkpoints: 0 };
    expect(await families()).toEqual(["nss_store_commit_log_bytes", "nss_store_checkpoints_total"]);
    metrics.close();
  });

  it("counts channels in quarantine and shows the partition", async () => {
    const source = busySource();
    source.storeSnapshot = {
      type: "FILE",
      limits: { maxChannels: 0, ...UNLIMITED, channels: [] },
      quarantined: [{ name: "x", reason: "broken" }],
    };
    const { samples } = parseExposition(await scrape(source));
    expect(samples.get('nss_quarantined_channels{server="test-cluster"}')).toBe(1);
    expect(samples.get('nss_partition_conflicts{server="test-cluster"}')).toBe(1);
    expect(
      samples.get('nss_partition_entries{server="test-cluster",owner="S1",kind="partitioned",state="serving"}'),
    ).toBe(2);
  });
});
