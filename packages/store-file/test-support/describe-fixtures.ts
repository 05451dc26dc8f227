import { byteString } from "@nats-streaming/protocol";
import type { RecoveredState, Store } from "@nats-streaming/store";
import { describe, expect, it, onTestFinished } from "vitest";
import { listRecords } from "./fixture-records.ts";
import { nextSubscriptions, type Outcome, openAndClose } from "./fixture-run.ts";
import {
  alter,
  copyOfFixture,
  type Expectation,
  type ExpectedChannel,
  type ExpectedMessage,
  type Fixture,
  listFiles,
  type OpenOptions,
  readFixture,
} from "./fixtures.ts";

/** Puts what the options of a run ask for around the file store. */
export type Wrap = (store: Store, options: OpenOptions) => Store;

/**
 * Registers every check that the expected.json of these fixtures define: of each file and record, of each run and
 * alteration, each value in them.
 * @param total how many checks that are: none may get lost
 */
export function describeFixtures(names: readonly string[], total: number, wrap: Wrap = (store) => store): void {
  it(`are ${total} checks`, () => {
    expect(names.reduce((sum, name) => sum + checksOf(readFixture(name)), 0)).toBe(total);
  });
  for (const name of names) describeFixture(name, wrap);
}

function describeFixture(name: string, wrap: Wrap): void {
  const fixture = readFixture(name);
  describe(`fixture ${name}`, () => {
    it("is what expected.json says", () => {
      const copy = copyOfFixture(name);
      onTestFinished(copy.remove);
      const tally = new Tally();
      const files = listFiles(copy.directory);
      tally.check([...files.keys()].sort(), Object.keys(fixture.files).sort());
      for (const [path, { records, version, zero_padding_at, size, sha256 }] of Object.entries(fixture.files)) {
        const listed = listRecords(copy.directory, path);
        tally.check({ ...files.get(path), version: listed.version }, { size, sha256, version });
        tally.check(listed.paddingAt, zero_padding_at);
        tally.check(listed.records.length, records.length);
        for (const [i, record] of records.entries()) tally.includes(record, listed.records[i]);
      }
      expect(tally.count).toBe(checksOfFiles(fixture));
    });

    for (const run of fixture.runs) {
      it(`strict recovery gives what the original gives (run ${run.name})`, async () => {
        const copy = copyOfFixture(name);
        onTestFinished(copy.remove);
        const { open_options: options, expect: wanted } = run;
        const asked = new Map(
          Object.entries(wanted.state?.channels ?? {}).map(([channel, { seq_from_timestamp }]) => [
            channel,
            (seq_from_timestamp ?? []).map(({ timestamp_ns }) => timestamp_ns),
          ]),
        );
        const outcome = await openAndClose(copy.directory, options, "strict", asked, (store) => wrap(store, options));
        const tally = new Tally();
        compare(tally, outcome, wanted);
        expect(tally.count).toBe(checksOfExpectation(wanted));
      });

      it(`gives the next subscription the ID that the original gives it (run ${run.name})`, async () => {
        const copy = copyOfFixture(name);
        onTestFinished(copy.remove);
        const ids = await nextSubscriptions(copy.directory, run.open_options);
        expect(ids).toEqual(run.next_sub_id ?? {});
      });
    }

    for (const alteration of fixture.alterations ?? []) {
      it(`strict recovery of damage ${alteration.id} gives what the original gives, or better`, async () => {
        const copy = copyOfFixture(name);
        onTestFinished(copy.remove);
        alter(copy.directory, alteration.ops);
        const outcome = await openAndClose(copy.directory, alteration.open_options, "strict");
        const wanted = alteration.recommended ?? alteration.expect;
        const tally = new Tally();
        compare(tally, outcome, wanted);
        expect(tally.count).toBe(checksOfExpectation(wanted));
      });
    }
  });
}

/** Counts what it compares. */
class Tally {
  count = 0;

  check(found: unknown, expected: unknown): void {
    this.count++;
    expect(found).toEqual(expected);
  }

  /** Everything that was found is what is expected, where more may be said in other words. */
  includes(expected: unknown, found: unknown): void {
    this.count++;
    expect(expected).toMatchObject(found as object);
  }
}

/** The checks of a whole fixture; in the order of what follows. */
function checksOf(fixture: Fixture): number {
  const runs = fixture.runs.map((run) => checksOfExpectation(run.expect) + Object.keys(run.next_sub_id ?? {}).length);
  const alterations = (fixture.alterations ?? []).map((one) => checksOfExpectation(one.recommended ?? one.expect));
  return [...runs, ...alterations].reduce((sum, count) => sum + count, checksOfFiles(fixture));
}

/** Names; then of each file itself, its padding, the number of its records, each record. */
function checksOfFiles({ files }: Fixture): number {
  return Object.values(files).reduce((sum, { records }) => sum + 3 + records.length, 1);
}

/** Two errors, the log, the changes, whether there is a state; then the state. */
function checksOfExpectation({ files_changed_by_recovery, state }: Expectation): number {
  const checks = files_changed_by_recovery === undefined ? 4 : 5;
  if (state === undefined) return checks;
  const { server_info, clients, channels } = state;
  // The server, the clients' IDs, each client, the channels' names.
  const head = (server_info === undefined ? 0 : 1) + 1 + (clients ?? []).length + 1;
  return Object.values(channels).reduce((sum, channel) => sum + checksOfChannel(channel), checks + head);
}

/** Four totals, the number of messages or those with problems, each message, time, subscription, the list of those. */
function checksOfChannel({ messages, seq_from_timestamp, subscriptions }: ExpectedChannel): number {
  return 4 + 1 + (messages ?? []).length + (seq_from_timestamp ?? []).length + 1 + subscriptions.length;
}

/** Decoder texts need not be those of the original. @see file-store.md 3 */
function withoutDecoderText(text: string | undefined): string | undefined {
  return text?.replace(/proto: .*/, "proto:");
}

/** What a `subscriptions` entry of expected.json says about kinds is not stored, but follows from the fields. */
const FIELDS = {
  client_id: "clientId",
  queue_group: "qGroup",
  inbox: "inbox",
  ack_inbox: "ackInbox",
  max_in_flight: "maxInFlight",
  ack_wait_in_secs: "ackWaitInSecs",
  durable_name: "durableName",
  is_durable: "isDurable",
  is_closed: "isClosed",
} as const;

function compare(tally: Tally, outcome: Outcome, expected: Expectation): void {
  tally.check(outcome.openError, expected.open_error);
  tally.check(withoutDecoderText(outcome.recoverError), withoutDecoderText(expected.recover_error));
  tally.check(outcome.log, expected.log ?? []);
  if (expected.files_changed_by_recovery !== undefined) {
    tally.check(outcome.changes, expected.files_changed_by_recovery);
  }
  tally.check(outcome.state !== undefined, expected.state !== undefined);
  if (expected.state === undefined) return;
  const { server_info, clients, client_ids, channels } = expected.state;
  const state = outcome.state!;
  if (server_info !== undefined) compareServerInfo(tally, state, server_info);
  const ids = [...state.clients.map(({ id }) => id)].sort();
  tally.check(ids, client_ids ?? clients?.map(({ id }) => id));
  for (const client of clients ?? []) compareClient(tally, state, client);
  const names = Object.keys(channels).map((channel) => byteString(Buffer.from(channel)));
  tally.check([...state.channels.keys()].sort(), names.sort());
  for (const [channel, want] of Object.entries(channels)) {
    compareChannel(tally, outcome, byteString(Buffer.from(channel)), want);
  }
}

function compareClient(tally: Tally, state: RecoveredState, client: Readonly<Record<string, string | number>>): void {
  const found = state.clients.find(({ id }) => id === client["id"])!;
  const { hb_inbox, conn_id_hex, protocol, ping_interval, ping_max_out } = client;
  tally.check(
    {
      hb_inbox: found.hbInbox,
      conn_id_hex: Buffer.from(found.connId).toString("hex"),
      protocol: found.protocol,
      ping_interval: found.pingInterval,
      ping_max_out: found.pingMaxOut,
    },
    { hb_inbox, conn_id_hex, protocol, ping_interval, ping_max_out },
  );
}

function compareServerInfo(
  tally: Tally,
  { serverInfo }: RecoveredState,
  expected: Readonly<Record<string, string>>,
): void {
  tally.check(
    {
      ClusterID: serverInfo.clusterId,
      Discovery: serverInfo.discovery,
      Publish: serverInfo.publish,
      Subscribe: serverInfo.subscribe,
      Unsubscribe: serverInfo.unsubscribe,
      Close: serverInfo.close,
      SubClose: serverInfo.subClose,
      AcksSubs: serverInfo.acksSubs,
      // Only clustered servers use it: it is not kept.
      NodeID: expected["NodeID"],
    },
    expected,
  );
}

function compareChannel(tally: Tally, outcome: Outcome, name: string, want: ExpectedChannel): void {
  const { messages: log, subscriptionStates } = outcome.state!.channels.get(name)!;
  const messages = outcome.messages.get(name)!;
  tally.check(log.firstSequence, want.first_seq);
  tally.check(log.lastSequence, want.last_seq);
  tally.check(log.count, want.msgs_count);
  tally.check(log.bytes, want.msgs_bytes);
  const isProblem = ({ lookup_error, not_found }: ExpectedMessage) => lookup_error !== undefined || not_found === true;
  if (want.messages === undefined) tally.check(messages.filter(isProblem), want.lookup_problems ?? []);
  else tally.check(messages.length, want.messages.length);
  for (const [i, message] of (want.messages ?? []).entries()) {
    if (isProblem(message)) tally.check(messages[i], message);
    else tally.includes(message, messages[i]);
  }
  const times = outcome.times.get(name)!;
  for (const [i, { seq }] of (want.seq_from_timestamp ?? []).entries()) tally.check(times[i], seq);
  const states = [...subscriptionStates].sort((one, other) => one.state.id - other.state.id);
  tally.check(
    states.map(({ state }) => state.id),
    want.subscriptions.map(({ id }) => id),
  );
  for (const [i, subscription] of want.subscriptions.entries()) {
    const { state, pending } = states[i]!;
    const fields = Object.entries(FIELDS).filter(([field]) => Reflect.get(subscription, field) !== undefined);
    tally.check(
      [state.lastSent, pending, ...fields.map(([field, property]) => [field, Reflect.get(state, property)])],
      [
        subscription.last_sent,
        subscription.pending_acks,
        ...fields.map(([field]) => [field, Reflect.get(subscription, field)]),
      ],
    );
  }
}
