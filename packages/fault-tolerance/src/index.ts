export { type FaultToleranceSetup, faultToleranceFault } from "./fault.ts";
export { FaultToleranceError, type FaultToleranceErrorCode } from "./fault-tolerance-error.ts";
export { type FaultTolerance, type FaultToleranceOptions, startFaultTolerance } from "./start-fault-tolerance.ts";
export {
  FaultToleranceExit,
  type FaultToleranceFailure,
  type FaultToleranceState,
  monitoredState,
} from "./state.ts";
export { DEFAULT_TIMING, type FaultToleranceTiming, FILE_LOCK_PROBE_MILLIS } from "./timing.ts";
