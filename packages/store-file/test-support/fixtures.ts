import { createHash } from "node:crypto";
import {
  appendFileSync,
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** What expected.json says, as far as tests read it. @see file-store.md 21 */
export interface Fixture {
  readonly case: string;
  readonly files: Readonly<Record<string, FixtureFile>>;
  readonly runs: readonly Run[];
  readonly alterations?: readonly Alteration[];
}

export interface FixtureFile {
  readonly size: number;
  readonly sha256: string;
  readonly version: number;
  readonly zero_padding_at?: number;
  readonly records: readonly FixtureRecord[];
}

/** A record; which fields there are depends on the file. Those of an incomplete one are its header's. */
export interface FixtureRecord {
  readonly at: number;
  readonly size: number;
  readonly crc: string;
  readonly crc_ok?: boolean;
  readonly type?: number;
  readonly seq?: number;
  readonly offset?: number;
  readonly timestamp_ns?: string;
  readonly sub_id?: number;
  readonly last_sent?: number;
  readonly client_id?: string;
  readonly incomplete?: boolean;
}

export interface OpenOptions {
  readonly crc?: boolean;
  readonly truncate_bad_eof?: boolean;
  readonly read_buffer_size?: number;
  readonly slice_max_msgs?: number;
  readonly max_msgs?: number;
  readonly max_bytes?: number;
  readonly max_age?: string;
  readonly per_channel?: Readonly<Record<string, { readonly max_msgs?: number }>>;
  readonly encryption?: { readonly cipher: string; readonly key: string };
}

export interface Run {
  readonly name: string;
  readonly open_options: OpenOptions;
  readonly expect: Expectation;
  readonly next_sub_id?: Readonly<Record<string, number>>;
}

export interface Expectation {
  readonly open_error?: string;
  readonly recover_error?: string;
  readonly log: readonly string[] | null;
  readonly files_changed_by_recovery: readonly FileChange[];
  readonly state?: ExpectedState;
}

export interface FileChange {
  readonly change: "created" | "modified" | "removed";
  readonly path: string;
  readonly size?: number;
  readonly sha256?: string;
}

export interface ExpectedState {
  readonly server_info?: Readonly<Record<string, string>>;
  readonly clients?: readonly Readonly<Record<string, string | number>>[];
  readonly client_ids?: readonly string[];
  readonly channels: Readonly<Record<string, ExpectedChannel>>;
}

export interface ExpectedChannel {
  readonly first_seq: number;
  readonly last_seq: number;
  readonly msgs_count: number;
  readonly msgs_bytes: number;
  readonly messages?: readonly ExpectedMessage[];
  readonly lookup_problems?: readonly ExpectedMessage[];
  readonly seq_from_timestamp?: readonly { readonly seq: number; readonly timestamp_ns: string }[];
  readonly subscriptions: readonly ExpectedSubscription[];
}

export interface ExpectedMessage {
  readonly seq: number;
  readonly subject?: string;
  readonly reply?: string;
  readonly data_base64?: string;
  readonly data_sha256?: string;
  readonly data_len?: number;
  readonly timestamp_ns?: string;
  readonly lookup_error?: string;
  readonly not_found?: boolean;
}

export interface ExpectedSubscription {
  readonly id: number;
  readonly last_sent: number;
  readonly pending_acks: readonly number[];
  readonly client_id?: string;
  readonly queue_group?: string;
  readonly inbox?: string;
  readonly ack_inbox?: string;
  readonly max_in_flight?: number;
  readonly ack_wait_in_secs?: number;
  readonly durable_name?: string;
  readonly is_durable?: boolean;
  readonly is_closed?: boolean;
}

export interface Alteration {
  readonly id: string;
  readonly note: string;
  readonly ops: readonly Operation[] | null;
  readonly open_options: OpenOptions;
  readonly expect: Expectation;
  readonly reference_defect?: string;
  readonly recommended?: Expectation;
}

export type Operation =
  | { readonly op: "truncate"; readonly file: string; readonly size: number }
  | { readonly op: "write"; readonly file: string; readonly at: number; readonly hex: string }
  | { readonly op: "append"; readonly file: string; readonly hex: string }
  | { readonly op: "create"; readonly file: string; readonly hex?: string }
  | { readonly op: "delete"; readonly file: string }
  | { readonly op: "mkdir"; readonly file: string };

const FIXTURES = fileURLToPath(new URL("../../../test-e2e/fixtures/file-store", import.meta.url));

export function fixtureNames(): string[] {
  return readdirSync(FIXTURES).sort();
}

export function readFixture(name: string): Fixture {
  return JSON.parse(readFileSync(join(FIXTURES, name, "expected.json"), "utf8")) as Fixture;
}

/** A fresh copy of a data directory, and its end. */
export function copyOfFixture(name: string): { readonly directory: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), "file-store-"));
  cpSync(join(FIXTURES, name), directory, { recursive: true });
  rmSync(join(directory, "expected.json"));
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

export function alter(directory: string, operations: readonly Operation[] | null): void {
  for (const operation of operations ?? []) {
    const path = join(directory, operation.file);
    switch (operation.op) {
      case "truncate":
        truncateSync(path, operation.size);
        break;
      case "write": {
        const descriptor = openSync(path, "r+");
        const bytes = Buffer.from(operation.hex, "hex");
        writeSync(descriptor, bytes, 0, bytes.length, operation.at);
        closeSync(descriptor);
        break;
      }
      case "append":
        appendFileSync(path, Buffer.from(operation.hex, "hex"));
        break;
      case "create":
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, Buffer.from(operation.hex ?? "", "hex"));
        break;
      case "delete":
        rmSync(path);
        break;
      case "mkdir":
        mkdirSync(path, { recursive: true });
    }
  }
}

/** Size and checksum of every file that is part of the original's format. */
export function listFiles(directory: string): Map<string, { readonly size: number; readonly sha256: string }> {
  const found = new Map<string, { readonly size: number; readonly sha256: string }>();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(directory.length + 1);
    if (name === ".rootdir.lck" || name.startsWith(".commit.")) continue;
    const sha256 = createHash("sha256").update(readFileSync(path)).digest("hex");
    found.set(name, { size: statSync(path).size, sha256 });
  }
  return found;
}

/** What has become of the files, in the form of expected.json. */
export function changesSince(before: ReturnType<typeof listFiles>, after: ReturnType<typeof listFiles>): FileChange[] {
  const changes: FileChange[] = [];
  for (const [path, now] of after) {
    const former = before.get(path);
    if (former === undefined) changes.push({ change: "created", path, ...now });
    else if (former.sha256 !== now.sha256) changes.push({ change: "modified", path, ...now });
  }
  for (const path of before.keys()) if (!after.has(path)) changes.push({ change: "removed", path });
  return changes.sort((one, other) => (one.path < other.path ? -1 : 1));
}
