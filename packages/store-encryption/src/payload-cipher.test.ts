import type { Random } from "@nats-streaming/kernel";
import { seededRandom } from "@nats-streaming/kernel/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CipherName } from "./cipher-name.ts";
import { channelKey, masterKey } from "./keys.ts";
import {
  createPayloadCipher,
  type DecryptionFailure,
  decryptionText,
  isEncrypted,
  type PayloadCipher,
} from "./payload-cipher.ts";

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");
const master = (passphrase: string): Uint8Array => masterKey(new Uint8Array(Buffer.from(passphrase)));

/** Gives the first four bytes of a nonce that a vector has. */
function scripted(nonce: string): Random {
  return { next: () => 0, fill: (target) => target.set(bytes(nonce).subarray(0, target.length)) };
}

function encrypted(cipher: PayloadCipher, text: Uint8Array): Uint8Array {
  const target = new Uint8Array(3 + text.length + 29 + 2).fill(0xee);
  const source = new Uint8Array([9, ...text, 9]);
  const end = cipher.encrypt(source, 1, 1 + text.length, target, 3);
  expect([end, target[2], target[end]]).toEqual([3 + text.length + 29, 0xee, 0xee]);
  return target.subarray(3, end);
}

function decrypted(cipher: PayloadCipher, data: Uint8Array): string {
  if (!isEncrypted(data, 0, data.length)) return `plain ${hex(data)}`;
  const text = cipher.decrypt(new Uint8Array([7, ...data, 7]), 1, 1 + data.length);
  return typeof text === "number" ? decryptionText(text, data.length) : hex(text);
}

interface Vector {
  readonly id: string;
  readonly cipher: CipherName;
  readonly passphrase: string;
  /** The master key if left out. */
  readonly channel?: string;
  readonly start: number;
  readonly n: number;
  readonly key: string;
  readonly nonce: string;
  readonly text: string;
  readonly stored: string;
}

const FOO = {
  passphrase: "mykey",
  channel: "foo",
  start: 0,
  key: "5e9e7bb8c8fd4571cef7ea6683b1b6fdf883488b242ab5f28433711b775cd6e3",
} as const;
const LOG = {
  passphrase: "mykey",
  start: 0,
  key: "5e50f405ace6cbdf17379f4b9f2b0c9f4144c5e380ea0b9298cb02ebd8ffe511",
} as const;
const LONG = {
  passphrase: "a longer passphrase, with spaces & ünïcode",
  start: 254,
  key: "92be69f59cee1025a2476cb8e18e640ec891957603a9b3b4ee6bb5d573af9773",
} as const;

const VECTORS: readonly Vector[] = [
  {
    ...FOO,
    id: "ENC-C1",
    cipher: "AES",
    n: 1,
    nonce: "546f26f50000000000000001",
    text: "68656c6c6f",
    stored: "01546f26f50000000000000001e07b3c1ba3dba22683204a9b2ab8e709974f97c0df",
  },
  {
    ...FOO,
    id: "ENC-C2",
    cipher: "AES",
    n: 2,
    nonce: "546f26f50000000000000002",
    text: "776f726c64",
    stored: "01546f26f5000000000000000277bbdb56d51ebd1d3a46eea403da9c0deee6676698",
  },
  {
    ...FOO,
    id: "ENC-C3",
    cipher: "AES",
    n: 3,
    nonce: "546f26f50000000000000003",
    text: "010203",
    stored: "01546f26f500000000000000039619f78bbe7498b24bd4bf8b4caca4b5818fd7",
  },
  {
    ...FOO,
    id: "ENC-C4",
    cipher: "CHACHA",
    n: 1,
    nonce: "d5ad03ba0000000000000001",
    text: "68656c6c6f",
    stored: "02d5ad03ba000000000000000186fb6d20bc819a24771bb4403e9dd09129d61042b9",
  },
  {
    ...FOO,
    id: "ENC-C5",
    cipher: "CHACHA",
    n: 2,
    nonce: "d5ad03ba0000000000000002",
    text: "776f726c64",
    stored: "02d5ad03ba0000000000000002d3de0bea45fa3888beed5f29b5fc9129e31ae9ba56",
  },
  {
    id: "ENC-C6",
    cipher: "AES",
    passphrase: "mykey",
    channel: "orders.eu.new",
    start: 0,
    n: 1,
    key: "86afbf0fd9c3ada0deebaf0ca2c15d18c606a43931ab6ab91b6b673a632a27ea",
    nonce: "077cdf740000000000000001",
    text: "68656c6c6f",
    stored: "01077cdf74000000000000000184fb4053e8409958da50092244c51b88d24edac668",
  },
  {
    id: "ENC-C7",
    cipher: "CHACHA",
    passphrase: "other key",
    channel: "a",
    start: 0,
    n: 1,
    key: "9861d22c58b2e313c7abce95ace7a2357f6683ffe815df561dd0b322385e8e62",
    nonce: "8033c9750000000000000001",
    text: "78",
    stored: "028033c97500000000000000013283dc3f347027b1dd548c782921a66688",
  },
  {
    id: "ENC-C8",
    cipher: "AES",
    passphrase: "other key",
    channel: "a.rather.long.channel.name.to.make.the.prefix.longer.than.one.hash.block",
    start: 0,
    n: 1,
    key: "56bd15caf17867779899cabaed93da43923b291ca8eabc8be40fc2f5c0df10ba",
    nonce: "8a9a17190000000000000001",
    text: "7061796c6f6164207061796c6f6164207061796c6f6164207061796c6f6164207061796c6f6164207061796c6f6164207061796c6f6164207061796c6f6164207061796c6f6164207061796c6f6164207061796c6f6164207061796c6f616420",
    stored:
      "018a9a1719000000000000000101e75ffe41dfff1d0b08451e9536a49eadb7475c51c7d957187a29310c8e92d32c29968463e8074b2f219a51f24adcf49b982edc533e263c88bcb8bddab2b4b01c6337fd521b086ab75e797802107ed1ca0340fbb1c8100c572b1754ba1896cb63c7a08488e558334268437d49447d2a",
  },
  {
    ...LOG,
    id: "ENC-R1",
    cipher: "AES",
    n: 1,
    nonce: "f025eb810000000000000001",
    text: "68656c6c6f",
    stored: "01f025eb810000000000000001b587a94e2fe38c53aa5c679a1242f0423990c45958",
  },
  {
    ...LOG,
    id: "ENC-R2",
    cipher: "AES",
    n: 2,
    nonce: "f025eb810000000000000002",
    text: "776f726c64",
    stored: "01f025eb8100000000000000025baf93d2b7616bcf16b36d3c66a73c2f9ade508f30",
  },
  {
    ...LOG,
    id: "ENC-R3",
    cipher: "AES",
    n: 3,
    nonce: "f025eb810000000000000003",
    text: "",
    stored: "01f025eb810000000000000003a7ed872bf16c7deaaef379fa5e326b4f",
  },
  {
    ...LOG,
    id: "ENC-R4",
    cipher: "CHACHA",
    n: 1,
    nonce: "8f7b2b2a0000000000000001",
    text: "68656c6c6f",
    stored: "028f7b2b2a0000000000000001e0384eb189674486c2bffe13a34a40f4c9fc27cc68",
  },
  {
    ...LOG,
    id: "ENC-R5",
    cipher: "CHACHA",
    n: 2,
    nonce: "8f7b2b2a0000000000000002",
    text: "776f726c64",
    stored: "028f7b2b2a0000000000000002c34ed3f5a81f5e1d6a24991d951b2f96885997dda0",
  },
  {
    ...LONG,
    id: "ENC-R6",
    cipher: "AES",
    n: 1,
    nonce: "8694f3e300000000000000ff",
    text: "61",
    stored: "018694f3e300000000000000ff90da2ff74227c593e14dd8f29c9aef406e",
  },
  {
    ...LONG,
    id: "ENC-R7",
    cipher: "AES",
    n: 2,
    nonce: "8694f3e30000000000000100",
    text: "62",
    stored: "018694f3e30000000000000100db6e08a5d4c22fcf6bb8fe452a1fc33511",
  },
  {
    ...LONG,
    id: "ENC-R8",
    cipher: "AES",
    n: 3,
    nonce: "8694f3e30000000000000101",
    text: "63",
    stored: "018694f3e300000000000001017a9bc97d06386c36c4fe0751634387d65a",
  },
  {
    id: "ENC-R9",
    cipher: "CHACHA",
    passphrase: "k",
    start: 1_099_511_627_775,
    n: 1,
    key: "8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a",
    nonce: "a37bfebf0000010000000000",
    text: "3031323334353637383930313233343536373839303132333435363738393031323334353637383930313233343536373839",
    stored:
      "02a37bfebf000001000000000039aae893a81ea7407d4a19b2b76dd08ab49ab0cb1907d5306b4b5d12a7f14c310a87574bc37377054358d6d4a88b6773533d851b41f40014fb99736de333982c5ab8",
  },
];

describe("golden vectors", () => {
  it.each(VECTORS)("$id has this key, and is encrypted and decrypted to these bytes", (vector) => {
    const { cipher, passphrase, channel, start, n, nonce, text, stored } = vector;
    const key = channel === undefined ? master(passphrase) : channelKey(master(passphrase), channel);
    expect(hex(key)).toBe(vector.key);
    const mine = createPayloadCipher({ cipher, key, random: scripted(nonce), lastSequence: start });
    for (let i = 1; i < n; i++) encrypted(mine, bytes("00"));
    expect(hex(encrypted(mine, bytes(text)))).toBe(stored);
    expect(stored.slice(2, 26)).toBe(nonce);
    for (const reader of ["AES", "CHACHA"] as const) {
      const other = createPayloadCipher({ cipher: reader, key, random: seededRandom(1), lastSequence: 7 });
      expect(decrypted(other, bytes(stored))).toBe(text);
    }
  });
});

describe("payload cipher", () => {
  const key = channelKey(master("mykey"), "foo");
  const cipherOf = (cipher: CipherName) =>
    createPayloadCipher({ cipher, key, random: seededRandom(1), lastSequence: 0 });

  it.each([
    ["nothing", "", "plain "],
    ["an ordinary text", "61626364", "plain 61626364"],
    ["five bytes that begin with a code", "0161626364", "trying to decrypt data that is not (len=5)"],
    ["thirteen", `02${"00".repeat(12)}`, "trying to decrypt data that is not (len=13)"],
    ["fourteen", `02${"00".repeat(13)}`, "chacha20poly1305: message authentication failed"],
    ["21 under AES", `01${"5a".repeat(20)}`, "cipher: message authentication failed"],
    ["21 under CHACHA", `02${"5a".repeat(20)}`, "chacha20poly1305: message authentication failed"],
    ["28", `01${"5a".repeat(27)}`, "cipher: message authentication failed"],
    ["29", `01${"5a".repeat(28)}`, "cipher: message authentication failed"],
    ["a text with another first byte", "03616263", "plain 03616263"],
    [
      "C1 with its last byte changed",
      "01546f26f50000000000000001e07b3c1ba3dba22683204a9b2ab8e709974f97c0de",
      "cipher: message authentication failed",
    ],
  ])("reads %s as the original does", (_what, data, want) => {
    expect(decrypted(cipherOf("AES"), bytes(data))).toBe(want);
    expect(decrypted(cipherOf("CHACHA"), bytes(data))).toBe(want);
  });

  it("finds any change of a byte", () => {
    for (const name of ["AES", "CHACHA"] as const) {
      const cipher = cipherOf(name);
      const data = encrypted(cipher, bytes("00112233"));
      for (let at = 1; at < data.length; at++) {
        const changed = data.slice();
        changed[at]! ^= 0x80;
        expect(decrypted(cipher, changed)).toContain("message authentication failed");
      }
    }
  });

  it("gives back any payload, and no two nonces", () => {
    const nonces = new Set<string>();
    const ciphers = [
      cipherOf("AES"),
      createPayloadCipher({ cipher: "CHACHA", key, random: seededRandom(2), lastSequence: 5 }),
    ];
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 2000 }), fc.nat(1), (text, which) => {
        const data = encrypted(ciphers[which]!, text);
        expect(decrypted(ciphers[1 - which]!, data)).toBe(hex(text));
        expect(nonces.has(hex(data.subarray(1, 13)))).toBe(false);
        nonces.add(hex(data.subarray(1, 13)));
      }),
      { numRuns: 500 },
    );
  });

  it("carries the counter through all its bytes", () => {
    const cipher = createPayloadCipher({
      cipher: "AES",
      key,
      random: scripted("ffffffff"),
      lastSequence: Number.MAX_SAFE_INTEGER - 1,
    });
    expect(hex(encrypted(cipher, bytes("00")).subarray(1, 13))).toBe("ffffffff001fffffffffffff");
    expect(hex(encrypted(cipher, bytes("00")).subarray(1, 13))).toBe("ffffffff0020000000000000");
  });

  it("has a text for each failure", () => {
    const failures: readonly DecryptionFailure[] = [-1, -2, -3];
    expect(new Set(failures.map((failure) => decryptionText(failure, 3))).size).toBe(3);
  });
});
