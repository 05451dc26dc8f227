import { describe, expect, it } from "vitest";
import { channelCaseConflict, stanErrors, startErrors, storeFailure } from "./errors.ts";

describe("PROTO 14 error catalogue", () => {
  const catalogue: readonly (readonly [keyof typeof stanErrors, number, string])[] = [
    ["invalidConnectRequest", 1, "stan: invalid connection request"],
    ["invalidClientId", 2, "stan: invalid clientID: only alphanumeric and `-` or `_` characters allowed"],
    ["duplicateClient", 3, "stan: clientID already registered"],
    ["invalidPublish", 4, "stan: invalid publish request"],
    ["invalidSubscriptionRequest", 5, "stan: invalid subscription request"],
    ["missingClientId", 6, "stan: clientID missing"],
    ["invalidAckWait", 7, "stan: invalid ack wait time, should be >= 1s"],
    ["invalidMaxInFlight", 8, "stan: invalid MaxInflight, should be >= 1"],
    ["invalidStartPosition", 9, "stan: invalid start position"],
    ["invalidSubject", 10, "stan: invalid subject"],
    ["unknownClient", 11, "stan: unknown clientID"],
    ["duplicateDurable", 12, "stan: duplicate durable registration"],
    ["invalidDurableQueueName", 13, "stan: durable name of a durable queue subscriber can't contain the character ':'"],
    ["invalidUnsubscribeRequest", 14, "stan: invalid unsubscribe request"],
    ["unknownChannel", 15, "stan: unknown channel"],
    ["invalidSubscription", 16, "stan: invalid subscription"],
    ["invalidCloseRequest", 17, "stan: invalid close request"],
    ["clientReplaced", 18, "client has been replaced or is no longer registered"],
    ["tooManyChannels", 19, "too many channels"],
    ["tooManySubscriptions", 20, "too many subscriptions per channel"],
    ["channelBeingDeleted", 22, "stan: channel is being deleted"],
  ];

  it.each(catalogue)("%s is PROTO-E%i", (key, number, text) => {
    expect(stanErrors[key]).toEqual({ number, text });
  });

  it("PROTO-E21 names both spellings and keeps the misspelling of its own", () => {
    expect(channelCaseConflict("FOO", "foo")).toEqual({
      number: 21,
      text: 'rejecting channel "FOO" because channel "foo" alreay exists (different cases not allowed)',
    });
  });

  it("PROTO-E21 escapes what would not print", () => {
    expect(channelCaseConflict('A"\n\xff', 'a"\n\xff').text).toBe(
      'rejecting channel "A\\"\\n\\xff" because channel "a\\"\\n\\xff" alreay exists (different cases not allowed)',
    );
  });

  it("PROTO-E23 is the store's own text", () => {
    expect(storeFailure("mkdir x: file name too long")).toEqual({ number: 23, text: "mkdir x: file name too long" });
  });

  it("has each number once, and none is missing up to 23", () => {
    const numbers = [...catalogue.map(([, number]) => number), 21, 23].sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 23 }, (_, i) => i + 1));
    expect(Object.keys(stanErrors)).toHaveLength(catalogue.length);
  });

  it("PROTO 14 has the texts that only end a start", () => {
    expect(startErrors).toEqual({
      noConfiguredChannel: "stan: no configured channel",
      notPreviouslyClustered: "stan: cannot restart server in clustered mode if it was not previously clustered",
      clusteredPartitioning: "stan: channels partitioning in clustering mode is not supported",
      clusteredMemoryStore: "stan: clustering mode not supported with MEMORY store type",
    });
  });
});
