// `npm start [-- flags]`: installs, builds and runs the server in this process.
import { build, install } from "./prepare.mjs";

for (const step of [install, () => build("@nats-streaming/server")]) {
  const status = step();
  if (status !== 0) process.exit(status);
}
await import("../apps/server/dist/main.js");
