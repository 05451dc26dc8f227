export { FakeClock } from "./fake-clock.ts";
export { TestBus, TestNetwork } from "./network.ts";
export { type RecordingLogger, recordingLogger } from "./recording-logger.ts";
export { seededRandom } from "./seeded-random.ts";
