import { request } from "node:https";
import { freePort } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { launchServer, READY, runServer } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";
import { clientTls, tlsFiles } from "./tls-files.ts";

function get(port: number, path: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, ...clientTls(), servername: "localhost" }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asked.on("error", reject);
    asked.end();
  });
}

describe("monitoring over HTTPS", () => {
  it("MON-HTTPS -ms answers with the certificate of the clients' port", async () => {
    const stage = testStage();
    const { server } = await tlsFiles(stage);
    const port = await freePort();
    const child = await launchServer(stage, "server with https monitoring", [
      ...["-a", "127.0.0.1", "-p", "-1", "-ms", String(port), "-tlscert", server.cert, "-tlskey", server.key],
    ]);
    await child.line(READY);
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
