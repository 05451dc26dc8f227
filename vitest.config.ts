import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/**
 * Some tests hold this server against others, such as the real nats-server. Where one of these is not installed and need not
 * be, what only it can show is left out (scripts/test.mjs says so); continuous integration has them all.
 */
const NEEDING: Readonly<Record<string, readonly string[]>> = {
  LEAVE_OUT_NATS_SERVER: ["packages/**/nats-server*.test.ts", "test-e2e/scenarios/late-conflict.test.ts"],
  LEAVE_OUT_POSTGRES: [
    "packages/store-sql/src/postgres/*.server.test.ts",
    "test-e2e/{scenarios,packaging}/*postgres*.test.ts",
  ],
  LEAVE_OUT_MARIADB: [
    "packages/store-sql/src/mysql/*.server.test.ts",
    "test-e2e/{scenarios,packaging}/*mysql*.test.ts",
  ],
  LEAVE_OUT_CHROMIUM: ["test-e2e/scenarios/dashboard*.test.ts"],
};

const leftOut = Object.entries(NEEDING).flatMap(([variable, files]) => (process.env[variable] === "1" ? files : []));

/** How long what a test polls for may take, on a machine that is busy with others. */
const POLL_MILLIS_MAX = 20_000;

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
          exclude: ["**/node_modules/**", ...leftOut],
          testTimeout: 30_000,
          expect: { poll: { timeout: POLL_MILLIS_MAX } },
        },
      },
      {
        // The built server as a process, and real clients against it: nothing here sees the sources.
        test: {
          name: "e2e",
          include: ["test-e2e/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...leftOut],
          testTimeout: 60_000,
          expect: { poll: { timeout: POLL_MILLIS_MAX } },
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
