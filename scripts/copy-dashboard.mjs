// Part of the server's build: its package carries the dashboard's files.
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./prepare.mjs";

const target = join(root, "apps", "server", "dist", "dashboard");
rmSync(target, { recursive: true, force: true });
cpSync(join(root, "apps", "dashboard", "dist"), target, { recursive: true });
