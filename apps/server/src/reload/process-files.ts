import { writeFileSync } from "node:fs";
import { errorText } from "@nats-streaming/kernel";
import { portsFile, removePortsFile, type ServerPorts, writePortsFile } from "./ports-file.ts";

const PID_FILE_MODE = 0o660;

/** The files by which others find this process. @see operations.md 3 */
export class ProcessFiles {
  readonly #pid: number;
  #portsFile = "";

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** Writes the process ID; nothing for an empty path. The file stays when the process ends. @throws Error with the reason */
  writePid(path: string): void {
    if (path === "") return;
    try {
      writeFileSync(path, String(this.#pid), { mode: PID_FILE_MODE });
    } catch (cause) {
      throw new Error(`Could not write pidfile: ${errorText(cause)}`, { cause });
    }
  }

  /** Writes where the server listens, in place of what was written elsewhere before. @throws Error with the reason */
  writePorts(directory: string, ports: ServerPorts): void {
    const path = directory === "" ? "" : portsFile(directory, this.#pid);
    try {
      if (path !== "") writePortsFile(path, ports);
    } catch (cause) {
      throw new Error(`Error writing ports file to ${path}: ${errorText(cause)}`, { cause });
    }
    if (this.#portsFile !== path) this.remove();
    this.#portsFile = path;
  }

  /** Removes the file with the ports. @throws Error with the reason */
  remove(): void {
    const path = this.#portsFile;
    this.#portsFile = "";
    if (path === "") return;
    try {
      removePortsFile(path);
    } catch (cause) {
      throw new Error(`Error cleaning up ports file ${path}: ${errorText(cause)}`, { cause });
    }
  }
}
