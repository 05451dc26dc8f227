export { FakeClock } from "./fake-clock.ts";
export { freePort } from "./free-port.ts";
export { TestBus, TestNetwork } from "./network.ts";
export { type RecordingLogger, recordingLogger } from "./recording-logger.ts";
export { seededRandom } from "./seeded-random.ts";
export { type CrashKind, SimulatedDisk, type SimulatedDiskOptions } from "./simulated-disk.ts";
export type { InjectedFault, SimulatedFault, SimulatedOperation } from "./simulated-disk-faults.ts";
export type { SimulatedLatency } from "./simulated-disk-machine.ts";
