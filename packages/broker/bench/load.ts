/** A load generator on raw sockets: everything it sends is encoded beforehand, everything it reads is only counted. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface LoadOptions {
  readonly subjects: readonly string[];
  readonly reply?: string;
  readonly size: number;
}

/** Bytes that are handed to the socket at a time. */
const BLOCK_BYTES = 65_536;

/** The publishes of one round over all subjects, in blocks that end between two messages, and how many each holds. */
export function encodeBlocks(options: LoadOptions): { readonly bytes: Buffer; readonly messages: number }[] {
  const payload = "x".repeat(options.size);
  const reply = options.reply === undefined ? "" : `${options.reply} `;
  const blocks: { bytes: Buffer; messages: number }[] = [];
  let lines: string[] = [];
  let length = 0;
  let next = 0;
  do {
    const line = `PUB ${options.subjects[next]} ${reply}${options.size}\r\n${payload}\r\n`;
    lines.push(line);
    length += line.length;
    next = (next + 1) % options.subjects.length;
    if (length >= BLOCK_BYTES) {
      blocks.push({ bytes: Buffer.from(lines.join("")), messages: lines.length });
      lines = [];
      length = 0;
    }
  } while (next !== 0 || blocks.length === 0);
  if (lines.length > 0) blocks.push({ bytes: Buffer.from(lines.join("")), messages: lines.length });
  return blocks;
}

/** A connection that has introduced itself. */
export async function client(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "data");
  socket.write('CONNECT {"verbose":false,"pedantic":false}\r\nPING\r\n');
  await once(socket, "data");
  return socket;
}

/** Sends at least `messages`, waiting whenever the socket is full. Returns how many were sent. */
export async function publish(
  socket: Socket,
  blocks: readonly { readonly bytes: Buffer; readonly messages: number }[],
  messages: number,
): Promise<number> {
  let sent = 0;
  for (let i = 0; sent < messages; i = (i + 1) % blocks.length) {
    const block = blocks[i]!;
    sent += block.messages;
    if (!socket.write(block.bytes)) await once(socket, "drain");
  }
  return sent;
}

/** How many messages {@link publish} will send. */
export function roundUp(blocks: readonly { readonly messages: number }[], messages: number): number {
  let sent = 0;
  for (let i = 0; sent < messages; i = (i + 1) % blocks.length) sent += blocks[i]!.messages;
  return sent;
}

/** Resolves once so many bytes have been read. */
export function receive(socket: Socket, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    let left = bytes;
    const onData = (chunk: Buffer): void => {
      left -= chunk.length;
      if (left > 0) return;
      socket.off("data", onData);
      resolve();
    };
    socket.on("data", onData);
  });
}
