import { describe, expect, it } from "vitest";
import { bytesOf, latin1 } from "./ascii.ts";
import { ERROR_TEXT } from "./faults.ts";
import {
  encodeConnect,
  encodeDelivery,
  encodeError,
  encodePublish,
  encodeSubscribe,
  encodeUnsubscribe,
  NO_RESPONDERS_HEADERS,
  OK_LINE,
  PING_LINE,
  PONG_LINE,
} from "./writers.ts";

const text = (bytes: Uint8Array): string => latin1(bytes, 0, bytes.length);

describe("the writers", () => {
  it("write operations as the protocol has them", () => {
    const payload = bytesOf("hi");
    const headers = bytesOf("NATS/1.0\r\n\r\n");
    expect(text(PING_LINE) + text(PONG_LINE) + text(OK_LINE)).toBe("PING\r\nPONG\r\n+OK\r\n");
    expect(text(encodeError(ERROR_TEXT.staleConnection))).toBe("-ERR 'Stale Connection'\r\n");
    expect(text(encodeConnect({ verbose: false, name: "x" }))).toBe('CONNECT {"verbose":false,"name":"x"}\r\n');
    expect(text(encodeSubscribe("foo", "1"))).toBe("SUB foo 1\r\n");
    expect(text(encodeSubscribe("foo", "1", "workers"))).toBe("SUB foo workers 1\r\n");
    expect(text(encodeUnsubscribe("1"))).toBe("UNSUB 1\r\n");
    expect(text(encodeUnsubscribe("1", 5))).toBe("UNSUB 1 5\r\n");
    expect(text(encodePublish({ subject: "foo", payload }))).toBe("PUB foo 2\r\nhi\r\n");
    expect(text(encodePublish({ subject: "foo", reply: "r", payload }))).toBe("PUB foo r 2\r\nhi\r\n");
    expect(text(encodePublish({ subject: "foo", payload, headers }))).toBe("HPUB foo 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
    expect(text(encodeDelivery({ subject: "foo", reply: "r", payload }, "9"))).toBe("MSG foo 9 r 2\r\nhi\r\n");
    expect(
      text(encodeDelivery({ subject: "in.1", payload: new Uint8Array(0), headers: NO_RESPONDERS_HEADERS }, "9")),
    ).toBe("HMSG in.1 9 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");
  });

  it("count a subject's bytes, not its characters", () => {
    expect(text(encodePublish({ subject: "fü", payload: new Uint8Array(0) }))).toBe("PUB f\xc3\xbc 0\r\n\r\n");
  });
});
