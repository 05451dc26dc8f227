import type { FileErrorCode } from "../file-system.ts";
import { type SimulatedOperation, simulatedError } from "./simulated-disk-faults.ts";

const NAME_BYTES_MAX = 255;

/** The names on the way to a path. */
export function parts(path: string): string[] {
  const found: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") found.pop();
    else if (part !== "" && part !== ".") found.push(part);
  }
  return found;
}

/** @throws FileError `invalid_name`, `name_too_long` */
export function checkName(operation: SimulatedOperation, path: string, name: string): void {
  const code: FileErrorCode | undefined = name.includes("\0")
    ? "invalid_name"
    : Buffer.byteLength(name) > NAME_BYTES_MAX
      ? "name_too_long"
      : undefined;
  if (code !== undefined) throw simulatedError(operation, path, code);
}
