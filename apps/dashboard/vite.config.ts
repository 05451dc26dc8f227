import { defineConfig } from "vite";

/** Where `vite` (not the build) finds a server to show. */
const SERVER = "http://127.0.0.1:8222";

export default defineConfig({
  // Served at / of the monitoring port, or below any path of a proxy.
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    outDir: "dist",
    // No inline script or style: the page's policy forbids them.
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: { proxy: { "/streaming": SERVER, "/varz": SERVER, "/readyz": SERVER } },
});
