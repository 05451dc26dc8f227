import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { withCause } from "./monitoring-error.ts";
import type { MonitoringRoute } from "./response.ts";

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".woff2": "font/woff2",
};

/** The page may load from this server alone, be shown in no frame, and send nothing anywhere. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Files of a dashboard at most, and their size together: they are kept in memory. */
const FILES_MAX = 64;
const BYTES_MAX = 8 * 1_024 * 1_024;

/**
 * Reads the built dashboard once and answers with it: `index.html` at `/`, everything else at its own path. Nothing else of the
 * disk can be asked for.
 * @throws (rejects) MonitoringError `dashboard_missing`
 */
export async function dashboardRoutes(directory: string): Promise<ReadonlyMap<string, MonitoringRoute>> {
  const routes = new Map<string, MonitoringRoute>();
  let bytes = 0;
  try {
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      const contentType = CONTENT_TYPES[extname(entry.name)];
      if (!entry.isFile() || contentType === undefined) continue;
      const path = join(entry.parentPath, entry.name);
      const body = await readFile(path);
      bytes += body.length;
      if (routes.size >= FILES_MAX || bytes > BYTES_MAX) throw new Error(`too large for a dashboard: ${directory}`);
      const name = path.slice(directory.length).replaceAll("\\", "/").replace(/^\/*/, "/");
      const headers = {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        ETag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 27)}"`,
        // What has its digest in its name never changes.
        "Cache-Control": name.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
      };
      routes.set(name === "/index.html" ? "/" : name, () => ({ status: 200, contentType, headers, body }));
    }
    if (!routes.has("/")) throw new Error(`there is no index.html in ${directory}`);
  } catch (cause) {
    throw withCause("dashboard_missing", "unable to read the dashboard", cause);
  }
  return routes;
}
