// Other programs that some tests hold this server against.
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Name, how to find it, Debian's package. The variables are those that vitest.config.ts looks at. */
const NEEDED = [
  {
    variable: "LEAVE_OUT_NATS_SERVER",
    name: "nats-server",
    debian: "nats-server",
    isThere: () => onPath("nats-server"),
  },
  { variable: "LEAVE_OUT_POSTGRES", name: "PostgreSQL", debian: "postgresql", isThere: hasPostgres },
  { variable: "LEAVE_OUT_MARIADB", name: "MariaDB", debian: "mariadb-server", isThere: () => onPath("mariadbd") },
  {
    variable: "LEAVE_OUT_CHROMIUM",
    name: "Chromium",
    debian: "chromium",
    isThere: () => onPath("chromium") || onPath("chromium-browser"),
  },
];

/**
 * Leaves out the tests of what is not installed, and says so on standard error. Continuous integration leaves nothing out: there
 * the tests fail.
 */
export function leaveOutWhatIsMissing() {
  if (process.env.CI === "true") return;
  for (const { variable, name, debian, isThere } of NEEDED) {
    if (isThere()) continue;
    process.env[variable] = "1";
    process.stderr.write(
      `${name} is not installed: the tests that need it are left out (Debian and Ubuntu: apt-get install ${debian})\n`,
    );
  }
}

/** Debian's packages that are not installed. */
export function missingPackages() {
  return NEEDED.filter(({ isThere }) => !isThere()).map(({ debian }) => debian);
}

function onPath(program) {
  const { PATH = "" } = process.env;
  return [...PATH.split(delimiter), "/usr/sbin"].some((folder) => existsSync(join(folder, program)));
}

/** Its programs are not on the path. */
function hasPostgres() {
  const folder = "/usr/lib/postgresql";
  return (
    existsSync(folder) && readdirSync(folder).some((version) => existsSync(join(folder, version, "bin", "initdb")))
  );
}
