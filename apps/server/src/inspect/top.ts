import { type Fields, largestOf, listOf, numberOf, textOf } from "./inspect-client.ts";
import { type InspectContext, numberFlag, printJson } from "./inspect-io.ts";
import { type TextColumn, textTable } from "./text-table.ts";
import { bytes, count, printable, rate, span } from "./words.ts";

/** Channels that are looked at: more would cost the server something at each look. */
const CHANNELS_LOOKED_AT = 1_024;
const ROWS_DEFAULT = 20;
const EVERY_SECONDS_DEFAULT = 2;
const EVERY_SECONDS_MAX = 3_600;

/** To the upper left corner, and everything below it away. */
const CLEAR = "\u001b[H\u001b[J";

const COLUMNS: readonly TextColumn[] = [
  { title: "CHANNEL", isWide: true },
  { title: "MSG/S", isNumber: true },
  { title: "MESSAGES", isNumber: true },
  { title: "SIZE", isNumber: true, isExtra: true },
  { title: "SUBS", isNumber: true },
  { title: "LAG", isNumber: true },
  { title: "STALLED", isNumber: true, isExtra: true },
];

/** What a look saw. */
interface Look {
  readonly at: number;
  readonly server: Fields;
  readonly channels: readonly Fields[];
}

/** Rates of the server and of its busiest channels, until it is ended; with `--once`, or without a terminal, a single time. */
export async function top(context: InspectContext): Promise<void> {
  const { request, sleep, isOver, print, columns } = context;
  const every = everyMillis(request.values.get("every"));
  const rows = numberFlag(request, "limit", ROWS_DEFAULT, CHANNELS_LOOKED_AT);
  const isOnce = request.once || request.json || columns === undefined;
  let before = await look(context);
  for (;;) {
    await sleep(every);
    if (isOver()) return;
    const now = await look(context);
    const busiest = rankChannels(before, now).slice(0, rows);
    if (request.json) printJson(context, report(before, now, busiest));
    else print(`${isOnce ? "" : CLEAR}${headline(before, now)}\n${textTable(COLUMNS, busiest.map(cells), columns)}`);
    if (isOnce) return;
    before = now;
  }
}

async function look({ client }: InspectContext): Promise<Look> {
  const [server, page] = await Promise.all([
    client.get("streaming/serverz"),
    client.get(`streaming/channelsz?details=1&limit=${CHANNELS_LOOKED_AT}`),
  ]);
  return { at: performance.now(), server, channels: listOf(page, "channels") };
}

interface Ranked {
  readonly channel: Fields;
  readonly perSecond: number;
}

/** The busiest first; of those that stand still, the one that lags most. */
function rankChannels(before: Look, now: Look): Ranked[] {
  const known = new Map(before.channels.map((channel) => [textOf(channel, "name"), numberOf(channel, "last_seq")]));
  const seconds = secondsBetween(before, now);
  return now.channels
    .map((channel) => {
      const last = numberOf(channel, "last_seq");
      return { channel, perSecond: Math.max(0, last - (known.get(textOf(channel, "name")) ?? last)) / seconds };
    })
    .sort((a, b) => b.perSecond - a.perSecond || lagOf(b.channel) - lagOf(a.channel));
}

function headline(before: Look, now: Look): string {
  const { server } = now;
  const [messagesIn = 0, messagesOut = 0, bytesIn = 0, bytesOut = 0] = trafficOf(before, now);
  return [
    `${textOf(server, "cluster_id") || "(starting)"}  ${textOf(server, "server_id")}  ${textOf(server, "state")}  up ${textOf(server, "uptime")}`,
    `in ${rate(messagesIn)} msg/s, ${bytes(bytesIn)}/s   out ${rate(messagesOut)} msg/s, ${bytes(bytesOut)}/s`,
    `${count(numberOf(server, "clients"))} clients, ${count(numberOf(server, "subscriptions"))} subscriptions, ` +
      `${count(numberOf(server, "channels"))} channels, ${count(numberOf(server, "total_msgs"))} messages, ${bytes(numberOf(server, "total_bytes"))}`,
    ...(numberOf(server, "channels") > CHANNELS_LOOKED_AT
      ? [`The busiest of the first ${count(CHANNELS_LOOKED_AT)} channels:`]
      : []),
    "",
  ].join("\n");
}

function cells({ channel, perSecond }: Ranked): string[] {
  const stalled = largestOf(listOf(channel, "backlogs"), "stalled_ms");
  return [
    printable(textOf(channel, "name")),
    rate(perSecond),
    count(numberOf(channel, "msgs")),
    bytes(numberOf(channel, "bytes")),
    count(numberOf(channel, "subs_count")),
    count(lagOf(channel)),
    stalled === 0 ? "-" : span(stalled),
  ];
}

function report(before: Look, now: Look, busiest: readonly Ranked[]): Fields {
  const [inMessages, outMessages, inBytes, outBytes] = trafficOf(before, now);
  return {
    server: now.server,
    seconds: secondsBetween(before, now),
    in_msgs_per_second: inMessages,
    out_msgs_per_second: outMessages,
    in_bytes_per_second: inBytes,
    out_bytes_per_second: outBytes,
    channels: busiest.map(({ channel, perSecond }) => ({ ...channel, msgs_per_second: perSecond })),
  };
}

/** Messages in and out, bytes in and out, per second. */
function trafficOf(before: Look, now: Look): number[] {
  const seconds = secondsBetween(before, now);
  return ["in_msgs", "out_msgs", "in_bytes", "out_bytes"].map(
    (key) => Math.max(0, numberOf(now.server, key) - numberOf(before.server, key)) / seconds,
  );
}

function lagOf(channel: Fields): number {
  return largestOf(listOf(channel, "backlogs"), "lag_msgs");
}

function secondsBetween(before: Look, now: Look): number {
  return Math.max(0.001, (now.at - before.at) / 1_000);
}

/** @throws RangeError with the remedy */
function everyMillis(text: string | undefined): number {
  const seconds = text === undefined ? EVERY_SECONDS_DEFAULT : Number(text);
  if (!(seconds >= 0.1 && seconds <= EVERY_SECONDS_MAX)) {
    throw new RangeError(`--every ${JSON.stringify(text)} is no number of seconds from 0.1 to ${EVERY_SECONDS_MAX}`);
  }
  return seconds * 1_000;
}
