import { describe, expect, it } from "vitest";
import { bytesOf, latin1 } from "./ascii.ts";
import { decodeInfo, encodeInfo, type ServerInfo } from "./server-info.ts";

const INFO: ServerInfo = {
  server_id: "NABC",
  server_name: "NABC",
  version: "2.9.10",
  proto: 1,
  go: "go1.19.8",
  host: "127.0.0.1",
  port: 24223,
  headers: true,
  max_payload: 1_048_576,
  client_id: 4,
  client_ip: "127.0.0.1",
};

describe("encodeInfo()", () => {
  it("writes the line that nats-server 2.9.10 writes", () => {
    const line = encodeInfo(INFO);
    expect(latin1(line, 0, line.length)).toBe(
      'INFO {"server_id":"NABC","server_name":"NABC","version":"2.9.10","proto":1,"go":"go1.19.8","host":"127.0.0.1","port":24223,"headers":true,"max_payload":1048576,"client_id":4,"client_ip":"127.0.0.1"} \r\n',
    );
  });
});

describe("decodeInfo()", () => {
  it("reads what encodeInfo writes", () => {
    const line = encodeInfo(INFO);
    expect(decodeInfo(line, 5, line.length - 2)).toEqual(INFO);
  });

  it("returns undefined for what is no object", () => {
    for (const text of ["garbage", "[]", "null", "5", ""]) {
      const bytes = bytesOf(text);
      expect(decodeInfo(bytes, 0, bytes.length), text).toBeUndefined();
    }
  });
});
