import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Where the real nats-server is not installed and need not be, what only it can show is left out; CI has it. */
const withoutNatsServer = process.env["LEAVE_OUT_NATS_SERVER"] === "1";

const root = fileURLToPath(new URL(".", import.meta.url));

// Unit tests see the sources of every workspace package, not its build, so that a change is tested at once.
const alias = [
  { find: /^@nats-streaming\/([^/]+)$/, replacement: `${root}packages/$1/src/index.ts` },
  { find: /^@nats-streaming\/([^/]+)\/([^/]+)$/, replacement: `${root}packages/$1/src/$2/index.ts` },
];

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "apps/*/src/**/*.test.ts", "scripts/**/*.test.mjs"],
          exclude: ["**/node_modules/**", ...(withoutNatsServer ? ["packages/nats-bus/src/nats-server.test.ts"] : [])],
          testTimeout: 30_000,
        },
      },
      {
        // The built server as a process, and real clients against it: nothing here sees the sources.
        test: {
          name: "e2e",
          include: ["test-e2e/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...(withoutNatsServer ? ["test-e2e/scenarios/late-conflict.test.ts"] : [])],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
