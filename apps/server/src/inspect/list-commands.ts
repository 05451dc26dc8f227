import { type Fields, InspectError, isFields, largestOf, listOf, numberOf, textOf } from "./inspect-client.ts";
import { type InspectContext, numberFlag, printJson } from "./inspect-io.ts";
import {
  rowJson,
  rowsOfChannel,
  SUBSCRIPTION_COLUMNS,
  type SubscriptionRow,
  subscriptionCells,
} from "./subscription-rows.ts";
import { type TextColumn, textTable } from "./text-table.ts";
import { bytes, count, printable, span } from "./words.ts";

/** Rows when nothing is said, and at most. */
const ROWS_DEFAULT = 1_000;
const ROWS_MAX = 1_000_000;
/** Elements that one request asks for. */
const PAGE = 256;

const CHANNEL_COLUMNS: readonly TextColumn[] = [
  { title: "CHANNEL", isWide: true },
  { title: "MESSAGES", isNumber: true },
  { title: "SIZE", isNumber: true },
  { title: "FIRST", isNumber: true, isExtra: true },
  { title: "LAST", isNumber: true },
  { title: "SUBS", isNumber: true },
  { title: "LAG", isNumber: true },
  { title: "OLDEST", isNumber: true, isExtra: true },
  { title: "STATE", isExtra: true },
];

export async function listChannels(context: InspectContext): Promise<void> {
  const { request } = context;
  const part = request.words[0] ?? "";
  const match = part === "" ? "" : `&match=${encodeURIComponent(part)}`;
  const channels = await pages(context, `streaming/channelsz?details=1${match}`, "channels");
  if (request.json) {
    printJson(context, channels);
    return;
  }
  if (channels.length === 0)
    context.print(part === "" ? "There are no channels.\n" : `No channel's name contains ${JSON.stringify(part)}.\n`);
  else context.print(textTable(CHANNEL_COLUMNS, channels.map(channelCells), context.columns));
}

function channelCells(channel: Fields): string[] {
  const backlogs = listOf(channel, "backlogs");
  const oldest = largestOf(backlogs, "oldest_age_ms");
  const isStalled = largestOf(backlogs, "stalled_count") > 0;
  return [
    printable(textOf(channel, "name")),
    count(numberOf(channel, "msgs")),
    bytes(numberOf(channel, "bytes")),
    count(numberOf(channel, "first_seq")),
    count(numberOf(channel, "last_seq")),
    count(numberOf(channel, "subs_count")),
    backlogs.length === 0 ? "-" : count(largestOf(backlogs, "lag_msgs")),
    oldest === 0 ? "-" : span(oldest),
    isStalled ? `stalled ${span(largestOf(backlogs, "stalled_ms"))}` : "",
  ];
}

const CLIENT_COLUMNS: readonly TextColumn[] = [
  { title: "CLIENT", isWide: true },
  { title: "SUBSCRIPTIONS", isNumber: true },
  { title: "HEARTBEAT INBOX", isWide: true, isExtra: true },
];

export async function listClients(context: InspectContext): Promise<void> {
  const { request } = context;
  const [id] = request.words;
  if (id !== undefined) {
    await showClient(context, id);
    return;
  }
  const clients = await pages(context, "streaming/clientsz?", "clients");
  if (request.json) {
    printJson(context, clients);
    return;
  }
  if (clients.length === 0) {
    context.print("No client is registered.\n");
    return;
  }
  const rows = clients.map((client) => [
    printable(textOf(client, "id")),
    count(numberOf(client, "subs_count")),
    printable(textOf(client, "hb_inbox")),
  ]);
  context.print(textTable(CLIENT_COLUMNS, rows, context.columns));
}

async function showClient(context: InspectContext, id: string): Promise<void> {
  const client = await context.client.get(`streaming/clientsz?client=${encodeURIComponent(id)}&subs=1`);
  if (context.request.json) printJson(context, client);
  else printSubscriptions(context, rowsOfClient(client));
}

export async function listSubscriptions(context: InspectContext): Promise<void> {
  const { request, client } = context;
  const limit = numberFlag(request, "limit", ROWS_DEFAULT, ROWS_MAX);
  const owner = request.values.get("client");
  const [channel] = request.words;
  let rows: SubscriptionRow[];
  if (channel !== undefined) {
    rows = rowsOfChannel(await client.get(`streaming/channelsz?channel=${encodeURIComponent(channel)}&subs=1`));
    if (owner !== undefined) rows = rows.filter(({ subscription }) => textOf(subscription, "client_id") === owner);
  } else if (owner !== undefined) {
    rows = rowsOfClient(await client.get(`streaming/clientsz?client=${encodeURIComponent(owner)}&subs=1`));
  } else {
    rows = (await pages(context, "streaming/channelsz?subs=1", "channels", ROWS_MAX)).flatMap(rowsOfChannel);
  }
  rows = rows.slice(0, limit);
  if (request.json) printJson(context, rows.map(rowJson));
  else printSubscriptions(context, rows);
}

function rowsOfClient(client: Fields): SubscriptionRow[] {
  const channels = client["subscriptions"];
  if (!isFields(channels)) return [];
  return Object.keys(channels).flatMap((channel) =>
    listOf(channels, channel).map((subscription) => ({ channel, subscription })),
  );
}

function printSubscriptions({ print, columns }: InspectContext, rows: readonly SubscriptionRow[]): void {
  if (rows.length === 0) print("There are no subscriptions.\n");
  else print(textTable(SUBSCRIPTION_COLUMNS, rows.map(subscriptionCells), columns));
}

/** The elements of a paged list, as many as are wanted. @param most overrules the flag */
async function pages({ request, client }: InspectContext, path: string, key: string, most?: number): Promise<Fields[]> {
  const limit = most ?? numberFlag(request, "limit", ROWS_DEFAULT, ROWS_MAX);
  const start = numberFlag(request, "offset", 0, ROWS_MAX);
  const found: Fields[] = [];
  while (found.length < limit) {
    const size = Math.min(PAGE, limit - found.length);
    const page = await client.get(`${path}&offset=${start + found.length}&limit=${size}`);
    const elements = listOf(page, key);
    found.push(...elements);
    // An element that goes while a page is made shortens it: only an empty page is the end.
    if (elements.length === 0 || start + found.length >= numberOf(page, "total")) return found;
  }
  if (found.length > limit) throw new InspectError(`the server gives more than was asked for: ${path}`);
  return found;
}
