import { decodeFields, encodeFields, type FieldValue } from "./protobuf.ts";

/**
 * The messages of the streaming protocol as our own test client speaks them. @see protocol.md 5
 */

export interface ConnectRequest {
  readonly clientId: string;
  readonly heartbeatInbox: string;
  readonly protocol?: number;
  readonly connectionId?: string;
  readonly pingIntervalSeconds?: number;
  readonly pingMaxOut?: number;
}

export function encodeConnectRequest(request: ConnectRequest): Buffer {
  return encodeFields(
    given([
      [1, request.clientId],
      [2, request.heartbeatInbox],
      [3, request.protocol],
      [4, request.connectionId],
      [5, request.pingIntervalSeconds],
      [6, request.pingMaxOut],
    ]),
  );
}

export interface ConnectResponse {
  readonly pubPrefix: string;
  readonly subRequests: string;
  readonly unsubRequests: string;
  readonly closeRequests: string;
  readonly subCloseRequests: string;
  readonly pingRequests: string;
  readonly pingIntervalSeconds: number;
  readonly pingMaxOut: number;
  readonly protocol: number;
  readonly error: string;
}

export function decodeConnectResponse(bytes: Uint8Array): ConnectResponse {
  const fields = decodeFields(bytes);
  return {
    pubPrefix: fields.text(1),
    subRequests: fields.text(2),
    unsubRequests: fields.text(3),
    closeRequests: fields.text(4),
    error: fields.text(5),
    subCloseRequests: fields.text(6),
    pingRequests: fields.text(7),
    pingIntervalSeconds: fields.number(8),
    pingMaxOut: fields.number(9),
    protocol: fields.number(10),
  };
}

export interface PubMsg {
  readonly clientId: string;
  readonly guid: string;
  readonly channel: string;
  readonly reply?: string;
  readonly data?: string | Uint8Array;
  readonly connectionId?: string;
}

export function encodePubMsg(message: PubMsg): Buffer {
  return encodeFields(
    given([
      [1, message.clientId],
      [2, message.guid],
      [3, message.channel],
      [4, message.reply],
      [5, message.data],
      [6, message.connectionId],
    ]),
  );
}

export interface PubAck {
  readonly guid: string;
  readonly error: string;
}

export function decodePubAck(bytes: Uint8Array): PubAck {
  const fields = decodeFields(bytes);
  return { guid: fields.text(1), error: fields.text(2) };
}

export interface MsgProto {
  readonly sequence: number;
  readonly channel: string;
  readonly reply: string;
  readonly data: Buffer;
  readonly timestamp: bigint;
  readonly redelivered: boolean;
  readonly redeliveryCount: number;
}

export function decodeMsgProto(bytes: Uint8Array): MsgProto {
  const fields = decodeFields(bytes);
  return {
    sequence: fields.number(1),
    channel: fields.text(2),
    reply: fields.text(3),
    data: fields.bytes(4),
    timestamp: BigInt.asIntN(64, fields.unsigned(5)),
    redelivered: fields.number(6) === 1,
    redeliveryCount: fields.number(7),
  };
}

export function encodeAck(channel: string, sequence: number): Buffer {
  return encodeFields(
    given([
      [1, channel],
      [2, sequence],
    ]),
  );
}

export const START_POSITION = { newOnly: 0, lastReceived: 1, timeDelta: 2, sequence: 3, first: 4 } as const;

export interface SubscriptionRequest {
  readonly clientId: string;
  readonly channel: string;
  readonly queueGroup?: string;
  readonly inbox: string;
  readonly maxInFlight?: number;
  readonly ackWaitSeconds?: number;
  readonly durableName?: string;
  readonly startPosition?: number;
  readonly startSequence?: number;
  readonly startTimeDelta?: bigint;
}

export function encodeSubscriptionRequest(request: SubscriptionRequest): Buffer {
  return encodeFields(
    given([
      [1, request.clientId],
      [2, request.channel],
      [3, request.queueGroup],
      [4, request.inbox],
      [5, request.maxInFlight ?? 1024],
      [6, request.ackWaitSeconds ?? 30],
      [7, request.durableName],
      [10, request.startPosition],
      [11, request.startSequence],
      [12, request.startTimeDelta],
    ]),
  );
}

export interface SubscriptionResponse {
  readonly ackInbox: string;
  readonly error: string;
}

/** Also the answer to unsubscribe and subscription close. */
export function decodeSubscriptionResponse(bytes: Uint8Array): SubscriptionResponse {
  const fields = decodeFields(bytes);
  return { ackInbox: fields.text(2), error: fields.text(3) };
}

export function encodeUnsubscribeRequest(clientId: string, channel: string, inbox: string): Buffer {
  return encodeFields(
    given([
      [1, clientId],
      [2, channel],
      [3, inbox],
    ]),
  );
}

export function encodeCloseRequest(clientId: string): Buffer {
  return encodeFields(given([[1, clientId]]));
}

export function encodePing(connectionId: string): Buffer {
  return encodeFields(given([[1, connectionId]]));
}

/** The error text of a CloseResponse or PingResponse; empty for success. */
export function decodeErrorOnly(bytes: Uint8Array): string {
  return decodeFields(bytes).text(1);
}

/** A message between servers. @see partitioning.md 6.1 */
export interface CtrlMsg {
  readonly type: number;
  readonly serverId: string;
  readonly data: Buffer;
}

export const PARTITIONING = 4;

export function encodeCtrlMsg(type: number, serverId: string, data: Uint8Array): Buffer {
  return encodeFields(
    given([
      [1, type],
      [2, serverId],
      [3, data],
    ]),
  );
}

export function decodeCtrlMsg(bytes: Uint8Array): CtrlMsg {
  const fields = decodeFields(bytes);
  return { type: fields.number(1), serverId: fields.text(2), data: fields.bytes(3) };
}

/** Channel names as a list request carries them: each after its length in two bytes, little endian. */
export function encodeChannelNames(names: readonly string[]): Buffer {
  return Buffer.concat(
    names.map((name) => {
      const bytes = Buffer.from(name, "utf8");
      return Buffer.concat([Buffer.from([bytes.length & 0xff, bytes.length >> 8]), bytes]);
    }),
  );
}

export function decodeChannelNames(data: Buffer): string[] {
  const names: string[] = [];
  for (let position = 0; position < data.length; ) {
    const length = data.readUInt16LE(position);
    if (position + 2 + length > data.length) throw new Error(`name list is cut short at ${position}`);
    names.push(data.toString("utf8", position + 2, position + 2 + length));
    position += 2 + length;
  }
  return names;
}

/** Leaves out what proto3 leaves out: absent fields and those with their default value. */
function given(fields: readonly (readonly [number, FieldValue | undefined])[]): [number, FieldValue][] {
  const kept: [number, FieldValue][] = [];
  for (const [number, value] of fields) {
    if (value === undefined || value === 0 || value === 0n || value === false) continue;
    if ((typeof value === "string" || value instanceof Uint8Array) && value.length === 0) continue;
    kept.push([number, value]);
  }
  return kept;
}
