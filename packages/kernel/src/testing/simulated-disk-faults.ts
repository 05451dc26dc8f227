import { FileError, type FileErrorCode } from "../file-system.ts";

/** What a disk can be made to fail at. */
export type SimulatedOperation =
  | "open"
  | "read"
  | "write"
  | "sync"
  | "truncate"
  | "stat"
  | "list"
  | "make_directory"
  | "rename"
  | "remove"
  | "sync_directory";

/** What goes wrong, for which operations. */
export interface SimulatedFault {
  readonly operation: SimulatedOperation;
  /**
   * A {@link FileErrorCode} is thrown; of a write, a part may have been done then, and a sync drops what it was to write.
   * `short_read` gives fewer bytes than there are; `bit_flip` turns a bit of what is read, in the target only.
   */
  readonly kind: FileErrorCode | "short_read" | "bit_flip";
  /** Which paths; all when left out. */
  readonly path?: (path: string) => boolean;
  /** How many of these operations go well before; 0 when left out. */
  readonly skip?: number;
  /** How many fail after that; 1 when left out. */
  readonly times?: number;
}

/** A fault that was injected. */
export interface InjectedFault {
  /** How many operations it has hit. */
  readonly hits: number;
  /** Takes it away. Idempotent. */
  remove(): void;
}

interface Armed {
  readonly fault: SimulatedFault;
  skip: number;
  times: number;
  hits: number;
}

/** The faults in force on a simulated disk. */
export class SimulatedFaults {
  readonly #armed = new Set<Armed>();

  inject(fault: SimulatedFault): InjectedFault {
    const armed: Armed = { fault, skip: fault.skip ?? 0, times: fault.times ?? 1, hits: 0 };
    this.#armed.add(armed);
    return {
      get hits(): number {
        return armed.hits;
      },
      remove: () => void this.#armed.delete(armed),
    };
  }

  /** What is to go wrong with this operation; undefined for nothing. */
  take(operation: SimulatedOperation, path: string): SimulatedFault["kind"] | undefined {
    for (const armed of this.#armed) {
      const { fault } = armed;
      if (fault.operation !== operation || (fault.path !== undefined && !fault.path(path))) continue;
      if (armed.skip-- > 0) continue;
      armed.hits++;
      if (--armed.times <= 0) this.#armed.delete(armed);
      return fault.kind;
    }
    return undefined;
  }
}

/** As the real file system says it. */
const WORDS: Readonly<Record<FileErrorCode, string>> = {
  not_found: "no such file or directory",
  exists: "file exists",
  permission: "permission denied",
  no_space: "no space left on device",
  too_many_open: "too many open files",
  name_too_long: "file name too long",
  invalid_name: "invalid argument",
  not_a_directory: "not a directory",
  is_a_directory: "is a directory",
  io: "input/output error",
};

/** The verbs that stand in the texts of the real file system. */
const VERBS: Readonly<Record<SimulatedOperation, string>> = {
  open: "open",
  read: "read",
  write: "write",
  sync: "sync",
  truncate: "truncate",
  stat: "stat",
  list: "open",
  make_directory: "mkdir",
  rename: "rename",
  remove: "remove",
  sync_directory: "sync",
};

export function simulatedError(operation: SimulatedOperation, path: string, code: FileErrorCode): FileError {
  return new FileError(code, `${VERBS[operation]} ${path}: ${WORDS[code]}`);
}
