import { writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { TLS_CERTIFICATE, TLS_KEY } from "../../packages/store-sql/test-support/servers/tls.ts";
import { freePort } from "../harness/ports.ts";
import { tempDir } from "../harness/stage.ts";
import { launchServer, runServer } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";

function get(port: number, path: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: "127.0.0.1", port, path, ca: TLS_CERTIFICATE, servername: "localhost" },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => {
          body += text;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}

describe("monitoring over HTTPS", () => {
  it("MON-HTTPS -ms answers with the certificate of the clients' port", async () => {
    const stage = testStage();
    const folder = await tempDir(stage);
    const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    await writeFile(cert, TLS_CERTIFICATE);
    await writeFile(key, TLS_KEY);
    const port = await freePort();
    const child = await launchServer(stage, "server with https monitoring", [
      ...["-a", "127.0.0.1", "-p", "-1", "-ms", String(port), "-tlscert", cert, "-tlskey", key],
    ]);
    await child.line("STREAM: Streaming Server is ready");
    expect(child.stderr).toContain(`Starting https monitor on 127.0.0.1:${port}`);
    const answer = await get(port, "/streaming/serverz");
    expect([answer.status, JSON.parse(answer.body)]).toEqual([200, expect.objectContaining({ state: "STANDALONE" })]);
  });

  it("needs a certificate, and goes alone", async () => {
    const stage = testStage();
    const bare = await runServer(stage, ["-ms", "8443"]);
    expect([bare.code, bare.stderr]).toEqual([1, expect.stringContaining("TLS cert and key required for HTTPS\n")]);
    const both = await runServer(stage, ["-m", "8222", "-ms", "8443"]);
    expect([both.code, both.stderr]).toEqual([
      1,
      expect.stringContaining("Can't specify both HTTP (8222) and HTTPs (8443) ports\n"),
    ]);
  });
});
