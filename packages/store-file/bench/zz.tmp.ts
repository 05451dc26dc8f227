import { mkdtempSync, rmSync } from "node:fs";
import { silentLogger, systemClock } from "/work/main/packages/kernel/src/index.ts";
import { defaultStoreLimits } from "/work/main/packages/store/src/index.ts";
import { createFileStore } from "/work/main/packages/store-file/src/index.ts";

const directory = mkdtempSync("/tmp/one-");
const clock = systemClock();
const store = createFileStore({
  directory,
  limits: { ...defaultStoreLimits, maxChannels: 0, maxMessages: 0, maxBytes: 0 },
  clock,
  logger: silentLogger,
  lock: { acquire: async () => ({ kind: "acquired" as const }), release() {} },
});
await store.recover();
await store.init({
  clusterId: "bench",
  discovery: "d",
  publish: "p",
  subscribe: "s",
  unsubscribe: "u",
  close: "c",
  subClose: "sc",
  acksSubs: "a",
});
const channels = Number(process.argv[2]);
const batch = Number(process.argv[3]);
const total = Number(process.argv[4]);
const logs: any[] = [];
for (let i = 0; i < channels; i++) logs.push(store.createChannel("channel." + i).messages);
await store.flush();
const payload = new Uint8Array(128).fill(120);
const message = { bytes: payload, replyStart: 0, replyEnd: 0, dataStart: 0, dataEnd: 128 };
const stamp = { millis: 0, nanos: 0 };
const b = performance.now();
const c = process.cpuUsage();
let sent = 0;
while (sent < total) {
  clock.read(stamp);
  const end = Math.min(total, sent + batch);
  for (; sent < end; sent++) {
    const log = logs[sent % channels];
    log.append(log.lastSequence + 1, message, stamp);
  }
  await store.flush();
}
const cc = process.cpuUsage(c);
console.log(
  channels,
  batch,
  Math.round((total / (performance.now() - b)) * 1000),
  "msg/s user",
  (cc.user / total).toFixed(2),
  "sys",
  (cc.system / total).toFixed(2),
);
await store.close();
rmSync(directory, { recursive: true });
