import { createMailbox, type Mailbox } from "./mailbox.ts";
import { newInbox, type RawClient, type RawMessage } from "./raw-client.ts";
import {
  type ConnectResponse,
  decodeConnectResponse,
  decodeErrorOnly,
  decodeMsgProto,
  decodePubAck,
  decodeSubscriptionResponse,
  encodeAck,
  encodeCloseRequest,
  encodeConnectRequest,
  encodePing,
  encodePubMsg,
  encodeSubscriptionRequest,
  encodeUnsubscribeRequest,
  type MsgProto,
  type PubAck,
  START_POSITION,
  type SubscriptionRequest,
  type SubscriptionResponse,
} from "./stan-wire.ts";

export const CLUSTER = "test-cluster";

/** The subjects of the default cluster. @see protocol.md 3.1 */
export const SUBJECTS = {
  connect: `_STAN.discover.${CLUSTER}`,
  pings: `_STAN.discover.${CLUSTER}.pings`,
  publish: `_STAN.pub.${CLUSTER}`,
  subscribe: `_STAN.sub.${CLUSTER}`,
  unsubscribe: `_STAN.unsub.${CLUSTER}`,
  subscriptionClose: `_STAN.subclose.${CLUSTER}`,
  close: `_STAN.close.${CLUSTER}`,
  partition: `_STAN.part.${CLUSTER}`,
} as const;

export interface RawStanSubscription {
  readonly inbox: string;
  readonly response: SubscriptionResponse;
  readonly messages: Mailbox<MsgProto>;
  ack(sequence: number): void;
}

/** A streaming client on a {@link RawClient}: one registered client ID, answering heartbeats. */
export interface RawStan {
  readonly clientId: string;
  readonly connectionId: string;
  readonly heartbeatInbox: string;
  /** The first answer to the connect request. */
  readonly response: ConnectResponse;
  /** All answers to the connect request. */
  readonly responses: Mailbox<ConnectResponse>;
  /** Heartbeats that came. */
  readonly heartbeats: Mailbox<RawMessage>;
  /** Publishes and takes the PubAck with the same guid. `subject`: another NATS subject than the channel's own. */
  publish(channel: string, data: string | Uint8Array, options?: { readonly subject?: string }): Promise<PubAck>;
  /** Subscribes from the first message, unless `request` says otherwise. */
  subscribe(channel: string, request?: Partial<SubscriptionRequest>): Promise<RawStanSubscription>;
  unsubscribe(channel: string, inbox: string): Promise<string>;
  /** Sends a CloseRequest; all answers arrive in the mailbox, as error texts (empty for success). */
  close(): Promise<Mailbox<string>>;
}

export interface RawStanOptions {
  readonly connectionId?: string;
  readonly protocol?: number;
  readonly answerHeartbeats?: boolean;
}

let guids = 0;

/** A guid that no other publish of this process has. */
export function newGuid(): string {
  return `GUID${String(guids++).padStart(18, "0")}`;
}

/** Registers `clientId`. A refusal is returned in `response.error`, not thrown. */
export async function connectRawStan(
  client: RawClient,
  clientId: string,
  options: RawStanOptions = {},
): Promise<RawStan> {
  const connectionId = options.connectionId ?? `CONN${clientId.padEnd(18, "0")}`;
  const heartbeats = await client.subscribe(newInbox());
  const received = createMailbox<RawMessage>(`heartbeats of ${clientId}`);
  heartbeats.messages.forward((message) => {
    received.push(message);
    if (options.answerHeartbeats !== false && message.reply !== "") client.publish(message.reply, "");
  });
  const acks = await client.subscribe(newInbox());
  const pubAcks = mapped(acks.messages, "PubAcks", (message) => decodePubAck(message.payload));

  const connectInbox = await client.subscribe(newInbox());
  const responses = mapped(connectInbox.messages, "connect responses", (message) =>
    decodeConnectResponse(message.payload),
  );
  const request = {
    clientId,
    heartbeatInbox: heartbeats.subject,
    protocol: options.protocol ?? 1,
    connectionId,
    pingIntervalSeconds: 5,
    pingMaxOut: 88,
  };
  client.publish(SUBJECTS.connect, encodeConnectRequest(request), connectInbox.subject);
  const response = await responses.take({ what: `a connect response for ${clientId}` });

  return {
    clientId,
    connectionId,
    heartbeatInbox: heartbeats.subject,
    response,
    responses,
    heartbeats: received,
    async publish(channel, data, publishOptions = {}): Promise<PubAck> {
      const guid = newGuid();
      const message = encodePubMsg({ clientId, guid, channel, data, connectionId });
      client.publish(publishOptions.subject ?? `${response.pubPrefix}.${channel}`, message, acks.subject);
      return pubAcks.take({ where: (ack) => ack.guid === guid, what: `the PubAck of a publish to ${channel}` });
    },
    async subscribe(channel, overrides = {}): Promise<RawStanSubscription> {
      const inbox = await client.subscribe(newInbox());
      const answer = await client.request(
        response.subRequests,
        encodeSubscriptionRequest({
          clientId,
          channel,
          inbox: inbox.subject,
          startPosition: START_POSITION.first,
          ...overrides,
        }),
      );
      const decoded = decodeSubscriptionResponse(answer.payload);
      return {
        inbox: inbox.subject,
        response: decoded,
        messages: mapped(inbox.messages, `messages of ${channel}`, (message) => decodeMsgProto(message.payload)),
        ack: (sequence) => client.publish(decoded.ackInbox, encodeAck(channel, sequence)),
      };
    },
    async unsubscribe(channel, inbox): Promise<string> {
      const answer = await client.request(response.unsubRequests, encodeUnsubscribeRequest(clientId, channel, inbox));
      return decodeSubscriptionResponse(answer.payload).error;
    },
    async close(): Promise<Mailbox<string>> {
      const inbox = await client.subscribe(newInbox());
      client.publish(response.closeRequests, encodeCloseRequest(clientId), inbox.subject);
      return mapped(inbox.messages, "close responses", (message) => decodeErrorOnly(message.payload));
    },
  };
}

/** What the servers say to a ping of a client: each answers once. A text is what makes client libraries give up. */
export async function pingAnswers(client: RawClient, connectionId: string, servers: number): Promise<string[]> {
  const inbox = await client.subscribe(newInbox());
  client.publish(SUBJECTS.pings, encodePing(connectionId), inbox.subject);
  return (await inbox.messages.takeMany(servers)).map(({ payload }) => decodeErrorOnly(payload));
}

/** A mailbox of the decoded items of another. */
function mapped<T, U>(source: Mailbox<T>, name: string, decode: (item: T) => U): Mailbox<U> {
  const target = createMailbox<U>(name);
  source.forward(
    (item) => target.push(decode(item)),
    (reason) => target.close(reason),
  );
  return target;
}
