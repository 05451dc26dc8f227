import { byteString } from "@nats-streaming/protocol";
import type { RecoveredState } from "@nats-streaming/store";
import { describe, expect, it, onTestFinished } from "vitest";
import { nextSubscriptions, type Outcome, openAndClose } from "../test-support/fixture-run.ts";
import {
  alter,
  copyOfFixture,
  type Expectation,
  type ExpectedChannel,
  type ExpectedMessage,
  fixtureNames,
  listFiles,
  readFixture,
} from "../test-support/fixtures.ts";

/** Decoder texts need not be those of the original. @see file-store.md 3 */
const DECODER_TEXT = /proto: .*/;

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

for (const name of fixtureNames()) {
  const fixture = readFixture(name);
  describe(`fixture ${name}`, () => {
    it("is what expected.json says", () => {
      const copy = copyOfFixture(name);
      onTestFinished(copy.remove);
      const files = Object.entries(fixture.files).map(([path, { size, sha256 }]) => [path, { size, sha256 }]);
      expect(Object.fromEntries(listFiles(copy.directory))).toEqual(Object.fromEntries(files));
    });

    for (const run of fixture.runs) {
      it(`strict recovery gives what the original gives (run ${run.name})`, async () => {
        const copy = copyOfFixture(name);
        onTestFinished(copy.remove);
        const asked = new Map(
          Object.entries(run.expect.state?.channels ?? {}).map(([channel, { seq_from_timestamp }]) => [
            channel,
            (seq_from_timestamp ?? []).map(({ timestamp_ns }) => timestamp_ns),
          ]),
        );
        const outcome = await openAndClose(copy.directory, run.open_options, "strict", asked);
        // What encryption adds is the business of its own package; here payloads are as they are stored.
        compare(outcome, run.expect, run.open_options.encryption !== undefined);
      });

      it(`gives the next subscription the ID that the original gives it (run ${run.name})`, async () => {
        const copy = copyOfFixture(name);
        onTestFinished(copy.remove);
        const ids = await nextSubscriptions(copy.directory, run.open_options);
        expect(ids).toEqual(run.next_sub_id ?? {});
      });
    }

    for (const alteration of fixture.alterations ?? []) {
      it(`strict recovery of damage ${alteration.id} gives what the original gives`, async () => {
        const copy = copyOfFixture(name);
        onTestFinished(copy.remove);
        alter(copy.directory, alteration.ops);
        const outcome = await openAndClose(copy.directory, alteration.open_options, "strict");
        compare(outcome, alteration.recommended ?? alteration.expect, false, alteration.recommended !== undefined);
      });
    }
  });
}

/** @param isShort the expectation says nothing about files */
function compare(outcome: Outcome, expected: Expectation, isEncrypted: boolean, isShort = false): void {
  expect(outcome.openError).toBe(expected.open_error);
  expect(outcome.recoverError?.replace(DECODER_TEXT, "proto:")).toBe(
    expected.recover_error?.replace(DECODER_TEXT, "proto:"),
  );
  expect(outcome.log).toEqual(expected.log ?? []);
  if (!isShort || expected.files_changed_by_recovery !== undefined) {
    expect(outcome.changes).toEqual(expected.files_changed_by_recovery);
  }
  if (expected.state === undefined) {
    expect(outcome.state).toBeUndefined();
    return;
  }
  const { server_info, clients, client_ids, channels } = expected.state;
  const state = outcome.state!;
  if (server_info !== undefined) compareServerInfo(state, server_info);
  const ids = [...state.clients.map(({ id }) => id)].sort();
  expect(ids).toEqual(client_ids ?? clients?.map(({ id }) => id));
  for (const client of clients ?? []) {
    const found = state.clients.find(({ id }) => id === client["id"])!;
    expect({
      hb_inbox: found.hbInbox,
      conn_id_hex: Buffer.from(found.connId).toString("hex"),
      protocol: found.protocol,
      ping_interval: found.pingInterval,
      ping_max_out: found.pingMaxOut,
    }).toEqual({
      hb_inbox: client["hb_inbox"],
      conn_id_hex: client["conn_id_hex"],
      protocol: client["protocol"],
      ping_interval: client["ping_interval"],
      ping_max_out: client["ping_max_out"],
    });
  }
  const names = Object.keys(channels).map((channel) => byteString(Buffer.from(channel)));
  expect([...state.channels.keys()].sort()).toEqual(names.sort());
  for (const [channel, want] of Object.entries(channels)) {
    compareChannel(outcome, byteString(Buffer.from(channel)), want, isEncrypted);
  }
}

function compareServerInfo({ serverInfo }: RecoveredState, expected: Readonly<Record<string, string>>): void {
  expect({
    ClusterID: serverInfo.clusterId,
    Discovery: serverInfo.discovery,
    Publish: serverInfo.publish,
    Subscribe: serverInfo.subscribe,
    Unsubscribe: serverInfo.unsubscribe,
    Close: serverInfo.close,
    SubClose: serverInfo.subClose,
    AcksSubs: serverInfo.acksSubs,
    NodeID: expected["NodeID"],
  }).toEqual(expected);
}

function compareChannel(outcome: Outcome, name: string, want: ExpectedChannel, isEncrypted: boolean): void {
  const { messages: log, subscriptionStates } = outcome.state!.channels.get(name)!;
  // The store is closed by now: counts are read off what was looked up.
  const messages = outcome.messages.get(name)!;
  expect([log.firstSequence, log.lastSequence, log.count, log.bytes]).toEqual([
    want.first_seq,
    want.last_seq,
    want.msgs_count,
    want.msgs_bytes,
  ]);
  const isProblem = ({ lookup_error, not_found }: ExpectedMessage) => lookup_error !== undefined || not_found === true;
  if (want.messages !== undefined) {
    for (const [i, message] of want.messages.entries()) {
      const found = messages[i]!;
      if (isEncrypted) expect(found.seq).toBe(message.seq);
      else if (isProblem(message)) expect(found).toEqual(message);
      else expect(message).toMatchObject(found);
    }
    expect(messages.length).toBe(want.messages.length);
  } else {
    expect(messages.filter(isProblem)).toEqual(want.lookup_problems ?? []);
  }
  expect(outcome.times.get(name)).toEqual((want.seq_from_timestamp ?? []).map(({ seq }) => seq));
  const states = [...subscriptionStates].sort((one, other) => one.state.id - other.state.id);
  expect(states.map(({ state, pending }) => [state.id, state.lastSent, pending])).toEqual(
    want.subscriptions.map(({ id, last_sent, pending_acks }) => [id, last_sent, pending_acks]),
  );
  for (const [i, subscription] of want.subscriptions.entries()) {
    for (const [field, property] of Object.entries(FIELDS)) {
      const value = Reflect.get(subscription, field);
      if (value !== undefined) expect([field, Reflect.get(states[i]!.state, property)]).toEqual([field, value]);
    }
  }
}
