import type { MonitoringRoute } from "./response.ts";
import type { MonitoringSource } from "./source.ts";

/** The page at `/streaming`. It loads nothing from elsewhere. @see monitoring.md 1 */
export const INDEX_PAGE: string = page(
  "22px/1.5",
  `    <svg width="320" height="64" viewBox="0 0 320 64" role="img" aria-label="NATS Streaming">
      <path d="M4 6h56v40H40l-8 12-8-12H4z" fill="#27aae1"/>
      <path d="M14 38V15l18 18V15m6 23V15m6 23V15" fill="none" stroke="#fff" stroke-width="4"/>
      <text x="72" y="40" font-family="system-ui, sans-serif" font-size="32" fill="#34495e">NATS Streaming</text>
    </svg>
    <p>
      <a href="./streaming/serverz">server</a><br>
      <a href="./streaming/storez">store</a><br>
      <a href="./streaming/clientsz">clients</a><br>
      <a href="./streaming/channelsz">channels</a>
    </p>
    <p><a href="https://docs.nats.io/legacy/stan/intro">help</a></p>`,
);

/** The page at `/` where there is no dashboard: links to everything. */
export function serverPage(source: MonitoringSource): MonitoringRoute {
  const nats = source.broker === undefined ? [] : ["varz", "connz", "routez", "subsz"];
  const links = ["streaming", ...nats, "metrics", "healthz", "readyz"];
  const body = page(
    "18px/1.6",
    `    <h1>NATS Streaming</h1>
    <p>
      ${links.map((name) => `<a href="./${name}">${name}</a>`).join("<br>\n      ")}
    </p>`,
  );
  return () => ({ status: 200, contentType: "text/html; charset=utf-8", body });
}

/** @param font size and line height */
function page(font: string, content: string): string {
  return `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>NATS Streaming</title>
    <style>
      body { font: ${font} system-ui, sans-serif; margin: 2em; color: #34495e; }
      a { color: #1d6fa5; }
    </style>
  </head>
  <body>
${content}
  </body>
</html>
`;
}
