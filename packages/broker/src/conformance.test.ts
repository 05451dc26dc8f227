import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasNatsServer, startNatsServer } from "../testing/nats-server.ts";
import { RawClient } from "../testing/raw-client.ts";
import type { Authorization } from "./authorization.ts";
import { createBroker } from "./broker.ts";
import type { BrokerOptions } from "./options.ts";

/*
 * What a client sends and what it gets, byte for byte. The table runs against the broker and, where nats-server 2.9 is
 * installed, against that: so the expectations are the reference's answers and not our opinion of them.
 */

interface Exchange {
  readonly name: string;
  /** What is sent; several pieces are sent one by one, each when the one before has been read. */
  readonly send: string | readonly string[];
  readonly answer: string;
  /** The server closes the connection. Else it is to answer the PING that is sent at the end. */
  readonly closes?: boolean;
}

interface Setting {
  readonly name: string;
  readonly options: BrokerOptions;
  readonly configuration: string;
  readonly exchanges: readonly Exchange[];
}

/** A client that is neither verbose nor pedantic, for the cases that are about something else. */
const PLAIN = 'CONNECT {"verbose":false,"pedantic":false}\r\n';
const HEADERS = 'CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\n';
const STATUS = 'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\n';
const UNKNOWN = "-ERR 'Unknown Protocol Operation'\r\n";
const NO_RESPONDERS = "16 16\r\nNATS/1.0 503\r\n\r\n\r\n";

const OPEN: readonly Exchange[] = [
  { name: "confirms nothing but answers PING before CONNECT", send: "PING\r\n", answer: "PONG\r\n" },
  {
    name: "is verbose before CONNECT",
    send: "SUB foo 1\r\nPUB foo 2\r\nhi\r\n",
    answer: "+OK\r\n+OK\r\nMSG foo 1 2\r\nhi\r\n",
  },
  { name: "is verbose by default", send: "CONNECT {}\r\nPING\r\n", answer: "+OK\r\nPONG\r\n" },
  { name: "takes null for CONNECT's defaults", send: "CONNECT null\r\n", answer: "+OK\r\n" },
  { name: "takes CONNECT without a blank", send: 'CONNECT{"verbose":false}\r\nPING\r\n', answer: "PONG\r\n" },
  { name: "takes CONNECT's names in any case", send: 'connect {"VERBOSE":false}\nping\n', answer: "PONG\r\n" },
  { name: "ignores null in CONNECT", send: 'CONNECT {"verbose":null}\r\n', answer: "+OK\r\n" },
  {
    name: "ignores unknown fields of CONNECT",
    send: 'CONNECT {"verbose":false,"x":[1]}\r\nPING\r\n',
    answer: "PONG\r\n",
  },
  {
    name: "takes a second CONNECT",
    send: 'CONNECT {}\r\nCONNECT {"verbose":false}\r\nPING\r\n',
    answer: "+OK\r\nPONG\r\n",
  },
  {
    name: "keeps what the first CONNECT said",
    send: 'CONNECT {"verbose":false,"echo":false}\r\nCONNECT {}\r\nSUB a 1\r\nPUB a 1\r\nx\r\nPING\r\n',
    answer: "PONG\r\n",
  },
  { name: "closes on CONNECT without JSON", send: "CONNECT {bad\r\n", answer: "", closes: true },
  { name: "closes on CONNECT without arguments", send: "CONNECT\r\n", answer: "", closes: true },
  { name: "closes on CONNECT with an array", send: "CONNECT []\r\n", answer: "", closes: true },
  { name: "closes on a field of the wrong type", send: 'CONNECT {"verbose":"x"}\r\n', answer: "", closes: true },
  { name: "closes on a fraction for a number", send: 'CONNECT {"protocol":1.5}\r\n', answer: "", closes: true },
  {
    name: "refuses an unknown protocol level",
    send: 'CONNECT {"protocol":7}\r\n',
    answer: "-ERR 'invalid client protocol'\r\n",
    closes: true,
  },
  {
    name: "refuses a negative protocol level",
    send: 'CONNECT {"protocol":-1}\r\n',
    answer: "-ERR 'invalid client protocol'\r\n",
    closes: true,
  },
  {
    name: "refuses no_responders without headers",
    send: 'CONNECT {"no_responders":true}\r\n',
    answer: "-ERR 'no responders requires headers support'\r\n",
    closes: true,
  },
  {
    name: "refuses an account",
    send: 'CONNECT {"account":"foo"}\r\n',
    answer: "-ERR 'Authorization Violation'\r\n",
    closes: true,
  },
  { name: "answers PING with a tail", send: "PING with more\r\nPINGxyz\n", answer: "PONG\r\nPONG\r\n" },
  {
    name: "ignores a client's INFO, +OK and PONG",
    send: `${PLAIN}INFO {}\r\n+OK\r\nPONG\r\nPING\r\n`,
    answer: "PONG\r\n",
  },
  { name: "closes on a client's INFO without JSON", send: `${PLAIN}INFO garbage\r\n`, answer: "", closes: true },
  { name: "closes on a client's error", send: `${PLAIN}-ERR 'x'\r\n`, answer: "", closes: true },

  { name: "closes on another protocol", send: "GET / HTTP/1.1\r\n", answer: UNKNOWN, closes: true },
  { name: "closes on the first wrong byte", send: "G", answer: UNKNOWN, closes: true },
  { name: "closes on a wrong byte in a verb", send: "PING\r\nPIxx", answer: `PONG\r\n${UNKNOWN}`, closes: true },
  { name: "closes on an empty line", send: `${PLAIN}\r\nPING\r\n`, answer: UNKNOWN, closes: true },
  { name: "closes on MSG", send: `${PLAIN}MSG foo 1 2\r\nhi\r\n`, answer: UNKNOWN, closes: true },
  { name: "closes on a route's operation", send: "RS+ foo\r\n", answer: UNKNOWN, closes: true },
  { name: "closes on UNSUB without a blank", send: `${PLAIN}UNSUB\r\n`, answer: UNKNOWN, closes: true },

  { name: "delivers", send: `${PLAIN}SUB foo 1\r\nPUB foo 2\r\nhi\r\n`, answer: "MSG foo 1 2\r\nhi\r\n" },
  {
    name: "delivers with a reply",
    send: `${PLAIN}SUB foo 1\r\nPUB foo r.1 2\r\nhi\r\n`,
    answer: "MSG foo 1 r.1 2\r\nhi\r\n",
  },
  {
    name: "delivers nothing in a payload",
    send: `${PLAIN}SUB foo 1\r\nPUB foo 0\r\n\r\n`,
    answer: "MSG foo 1 0\r\n\r\n",
  },
  {
    name: "repeats a size as it was written",
    send: `${PLAIN}SUB foo 1\r\nPUB foo 01\r\nX\r\n`,
    answer: "MSG foo 1 01\r\nX\r\n",
  },
  { name: "reads lower case and LF", send: `${PLAIN}sub foo 1\npub foo 2\nhi\r\n`, answer: "MSG foo 1 2\r\nhi\r\n" },
  { name: "reads tabs", send: `${PLAIN}SUB\tfoo\t1\r\nPUB \t foo \t 2 \t\r\nhi\r\n`, answer: "MSG foo 1 2\r\nhi\r\n" },
  {
    name: "delivers bytes as they are",
    send: `${PLAIN}SUB f\xffo \x01\r\nPUB f\xffo \xfe 3\r\n\x00\xff\n\r\n`,
    answer: "MSG f\xffo \x01 \xfe 3\r\n\x00\xff\n\r\n",
  },
  {
    name: "reads input in pieces",
    send: [
      "CONN",
      'ECT {"verbose":false}\r',
      "\nSUB f",
      "oo 1\r\nPUB f",
      "oo 5",
      "\r\nhe",
      "l",
      "lo",
      "\r",
      "\nPI",
      "NG\r\n",
    ],
    answer: "MSG foo 1 5\r\nhello\r\nPONG\r\n",
  },
  {
    name: "matches one token with *",
    send: `${PLAIN}SUB foo.* 1\r\nPUB foo.a 1\r\nx\r\nPUB foo 1\r\nx\r\nPUB foo.a.b 1\r\nx\r\n`,
    answer: "MSG foo.a 1 1\r\nx\r\n",
  },
  {
    name: "matches many tokens with >",
    send: `${PLAIN}SUB foo.> 1\r\nPUB foo.a.b 1\r\nx\r\nPUB foo 1\r\nx\r\n`,
    answer: "MSG foo.a.b 1 1\r\nx\r\n",
  },
  {
    name: "takes wildcards within tokens as text",
    send: `${PLAIN}SUB a*.> 1\r\nPUB a*.b 1\r\nx\r\nPUB ab.b 1\r\nx\r\n`,
    answer: "MSG a*.b 1 1\r\nx\r\n",
  },
  {
    name: "delivers to wildcards what is published to one",
    send: `${PLAIN}SUB foo.* 1\r\nPUB foo.* 2\r\nhi\r\n`,
    answer: "MSG foo.* 1 2\r\nhi\r\n",
  },
  {
    name: "delivers to nobody a subject with an empty token",
    send: `${PLAIN}SUB > 1\r\nPUB foo..x 1\r\nx\r\nPUB foo. 1\r\nx\r\nPUB .foo 1\r\nx\r\nPUB a 1\r\ny\r\n`,
    answer: "MSG a 1 1\r\ny\r\n",
  },
  {
    name: "keeps the first of two subscriptions with one number",
    send: `${PLAIN}SUB foo 1\r\nSUB bar 1\r\nPUB bar 1\r\nx\r\nPUB foo 1\r\ny\r\n`,
    answer: "MSG foo 1 1\r\ny\r\n",
  },
  {
    name: "refuses subjects that are not valid, and goes on",
    send: `${PLAIN}SUB foo..bar 1\r\nSUB foo. 1\r\nSUB .foo 1\r\nSUB foo.>.bar 1\r\nSUB >foo 1\r\nSUB foo*.b 2\r\nPING\r\n`,
    answer: `${"-ERR 'Invalid Subject'\r\n".repeat(4)}PONG\r\n`,
  },
  {
    name: "confirms every operation of a verbose client, errors excepted",
    send: 'CONNECT {"verbose":true,"pedantic":false}\r\nSUB foo 1\r\nSUB foo 1\r\nSUB a..b 2\r\nPUB foo 2\r\nhi\r\nUNSUB 1\r\nUNSUB 99\r\nPING\r\n',
    answer: "+OK\r\n+OK\r\n+OK\r\n-ERR 'Invalid Subject'\r\n+OK\r\nMSG foo 1 2\r\nhi\r\n+OK\r\n+OK\r\nPONG\r\n",
  },
  {
    name: "warns a pedantic client of subjects that are not literal, and delivers",
    send: 'CONNECT {"verbose":false,"pedantic":true}\r\nSUB > 1\r\nPUB foo.* 2\r\nhi\r\nPUB foo..x 2\r\nhi\r\nPUB a.b* 2\r\nhi\r\nPUB ok b.* 1\r\nx\r\n',
    answer:
      "-ERR 'Invalid Publish Subject'\r\nMSG foo.* 1 2\r\nhi\r\n-ERR 'Invalid Publish Subject'\r\nMSG a.b* 1 2\r\nhi\r\nMSG ok 1 b.* 1\r\nx\r\n",
  },
  {
    name: "confirms a pedantic publish after its warning",
    send: 'CONNECT {"verbose":true,"pedantic":true}\r\nPUB foo.* 2\r\nhi\r\n',
    answer: "+OK\r\n-ERR 'Invalid Publish Subject'\r\n+OK\r\n",
  },
  {
    name: "echoes nothing to a client that wants none",
    send: 'CONNECT {"verbose":false,"echo":false}\r\nSUB foo 1\r\nPUB foo 2\r\nhi\r\nPING\r\n',
    answer: "PONG\r\n",
  },

  {
    name: "ends a subscription",
    send: `${PLAIN}SUB foo 1\r\nPUB foo 1\r\na\r\nUNSUB 1\r\nPUB foo 1\r\nb\r\n`,
    answer: "MSG foo 1 1\r\na\r\n",
  },
  {
    name: "ends a subscription after its limit",
    send: `${PLAIN}SUB foo 1\r\nUNSUB 1 2\r\nPUB foo 1\r\na\r\nPUB foo 1\r\nb\r\nPUB foo 1\r\nc\r\n`,
    answer: "MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\n",
  },
  {
    name: "ends a subscription that has had its limit already",
    send: `${PLAIN}SUB foo 1\r\nPUB foo 1\r\na\r\nPUB foo 1\r\nb\r\nUNSUB 1 2\r\nPUB foo 1\r\nc\r\n`,
    answer: "MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\n",
  },
  {
    name: "takes limit 0 for now",
    send: `${PLAIN}SUB foo 1\r\nUNSUB 1 0\r\nPUB foo 1\r\na\r\nPING\r\n`,
    answer: "PONG\r\n",
  },
  {
    name: "takes an unreadable limit for now",
    send: `${PLAIN}SUB foo 1\r\nUNSUB 1 abc\r\nPUB foo 1\r\na\r\nPING\r\n`,
    answer: "PONG\r\n",
  },
  {
    name: "takes a number again after its subscription ended",
    send: `${PLAIN}SUB foo 1\r\nUNSUB 1\r\nSUB bar 1\r\nPUB bar 1\r\na\r\n`,
    answer: "MSG bar 1 1\r\na\r\n",
  },

  { name: "closes on SUB with one argument", send: `${PLAIN}SUB foo\r\n`, answer: "", closes: true },
  { name: "closes on SUB with four arguments", send: `${PLAIN}SUB foo a b c\r\n`, answer: "", closes: true },
  { name: "closes on UNSUB with three arguments", send: `${PLAIN}UNSUB 1 2 3\r\n`, answer: "", closes: true },
  { name: "closes on PUB without a size", send: `${PLAIN}PUB foo\r\n`, answer: "", closes: true },
  { name: "closes on PUB with a word for a size", send: `${PLAIN}PUB foo bar\r\n`, answer: "", closes: true },
  { name: "closes on PUB with four arguments", send: `${PLAIN}PUB a b c 1\r\nx\r\n`, answer: "", closes: true },
  { name: "closes on a negative size", send: `${PLAIN}PUB foo -2\r\n`, answer: "", closes: true },
  {
    name: "takes nine digits",
    send: `${PLAIN}SUB foo 1\r\nPUB foo 000000002\r\nhi\r\n`,
    answer: "MSG foo 1 000000002\r\nhi\r\n",
  },
  { name: "closes on ten digits", send: `${PLAIN}PUB foo 0000000002\r\nhi\r\n`, answer: "", closes: true },
  {
    name: "closes on a payload longer than its size",
    send: `${PLAIN}PUB foo 2\r\nhixx\r\n`,
    answer: UNKNOWN,
    closes: true,
  },
  {
    name: "closes on a payload shorter than its size",
    send: `${PLAIN}PUB foo 3\r\nhi\r\nPING\r\n`,
    answer: UNKNOWN,
    closes: true,
  },
  { name: "closes on a payload that ends with LF", send: `${PLAIN}PUB foo 2\r\nhi\n\n`, answer: UNKNOWN, closes: true },
  {
    name: "closes on a payload over the limit",
    send: `${PLAIN}PUB foo 1048577\r\n`,
    answer: "-ERR 'Maximum Payload Violation'\r\n",
    closes: true,
  },
  { name: "takes arguments of 4096 bytes", send: `${PLAIN}SUB ${"s".repeat(4_094)} 1\r\nPING\r\n`, answer: "PONG\r\n" },
  {
    name: "closes on SUB of 4097 bytes",
    send: `${PLAIN}SUB ${"s".repeat(4_095)} 1\r\n`,
    answer: "-ERR 'maximum control line exceeded'\r\n",
    closes: true,
  },
  {
    name: "closes on PUB of 4097 bytes",
    send: `${PLAIN}PUB ${"s".repeat(4_095)} 1\r\nx\r\n`,
    answer: "-ERR 'maximum control line exceeded'\r\n",
    closes: true,
  },
  {
    name: "closes on CONNECT of 4097 bytes",
    send: `CONNECT {${" ".repeat(4_095)}}\r\n`,
    answer: "-ERR 'maximum control line exceeded'\r\n",
    closes: true,
  },
  {
    name: "closes on a line without end",
    send: `SUB ${"s".repeat(5_000)}`,
    answer: "-ERR 'maximum control line exceeded'\r\n",
    closes: true,
  },
  {
    name: "does not count blanks before arguments",
    send: `${PLAIN}PUB ${" ".repeat(10_000)}foo 1\r\nx\r\nPING\r\n`,
    answer: "PONG\r\n",
  },

  {
    name: "closes on headers that were not announced",
    send: `${PLAIN}HPUB foo 12 14\r\nNATS/1.0\r\n\r\nhi\r\n`,
    answer: "",
    closes: true,
  },
  {
    name: "delivers headers",
    send: `${HEADERS}SUB foo 1\r\nHPUB foo 12 14\r\nNATS/1.0\r\n\r\nhi\r\nHPUB foo bar 012 0014\r\nNATS/1.0\r\n\r\nhi\r\n`,
    answer: "HMSG foo 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\nHMSG foo 1 bar 012 0014\r\nNATS/1.0\r\n\r\nhi\r\n",
  },
  {
    name: "does not look into headers",
    send: `${HEADERS}SUB foo 1\r\nHPUB foo 4 6\r\nxxxxhi\r\n`,
    answer: "HMSG foo 1 4 6\r\nxxxxhi\r\n",
  },
  {
    name: "delivers no headers as none",
    send: `${HEADERS}SUB foo 1\r\nHPUB foo 0 2\r\nhi\r\n`,
    answer: "MSG foo 1 2\r\nhi\r\n",
  },
  { name: "closes on headers larger than the whole", send: `${HEADERS}HPUB foo 15 14\r\n`, answer: "", closes: true },
  { name: "closes on HPUB with one size", send: `${HEADERS}HPUB foo 2\r\n`, answer: "", closes: true },
  {
    name: "closes on HPUB over the limit",
    send: `${HEADERS}HPUB foo 12 1048577\r\n`,
    answer: "-ERR 'Maximum Payload Violation'\r\n",
    closes: true,
  },

  {
    name: "reports a request without responders",
    send: `${STATUS}SUB in.* 9\r\nPUB foo in.1 0\r\n\r\n`,
    answer: `HMSG in.1 9 ${NO_RESPONDERS}`,
  },
  {
    name: "reports nothing without a reply subject",
    send: `${STATUS}SUB in.* 9\r\nPUB foo 0\r\n\r\nPING\r\n`,
    answer: "PONG\r\n",
  },
  {
    name: "reports nothing to a client that does not listen",
    send: `${STATUS}PUB foo in.1 0\r\n\r\nPING\r\n`,
    answer: "PONG\r\n",
  },
  {
    name: "reports nothing to a client that did not ask",
    send: `${HEADERS}SUB in.* 9\r\nPUB foo in.1 0\r\n\r\nPING\r\n`,
    answer: "PONG\r\n",
  },
  {
    name: "reports nothing when somebody listens",
    send: `${STATUS}SUB in.* 9\r\nSUB foo 1\r\nPUB foo in.1 1\r\nx\r\n`,
    answer: "MSG foo 1 in.1 1\r\nx\r\n",
  },
  {
    name: "takes a client without echo for no responder of its own",
    send: 'CONNECT {"verbose":false,"echo":false,"headers":true,"no_responders":true}\r\nSUB foo 1\r\nSUB r 2\r\nPUB foo r 1\r\nx\r\nSUB q g 3\r\nPUB q r 1\r\nx\r\n',
    answer: `HMSG r 2 ${NO_RESPONDERS}`.repeat(2),
  },
  {
    name: "does not count such a report for a limit",
    send: `${STATUS}SUB r 2\r\nUNSUB 2 1\r\nPUB zz r 0\r\n\r\nPUB zz r 0\r\n\r\n`,
    answer: `HMSG r 2 ${NO_RESPONDERS}`.repeat(2),
  },
];

const WITH_USER: readonly Exchange[] = [
  {
    name: "closes on anything but CONNECT",
    send: "PING\r\n",
    answer: "-ERR 'Authorization Violation'\r\n",
    closes: true,
  },
  { name: "closes on an empty line", send: "\r\n", answer: "-ERR 'Authorization Violation'\r\n", closes: true },
  { name: "closes on another verb in C", send: "CPUB", answer: UNKNOWN, closes: true },
  {
    name: "refuses a client without credentials",
    send: PLAIN,
    answer: "-ERR 'Authorization Violation'\r\n",
    closes: true,
  },
  { name: "accepts the user", send: 'CONNECT {"user":"a","pass":"b"}\r\nPING\r\n', answer: "+OK\r\nPONG\r\n" },
  {
    name: "refuses a wrong password",
    send: 'CONNECT {"user":"a","pass":"c"}\r\n',
    answer: "-ERR 'Authorization Violation'\r\n",
    closes: true,
  },
  {
    name: "refuses another user",
    send: 'CONNECT {"user":"x","pass":"b"}\r\n',
    answer: "-ERR 'Authorization Violation'\r\n",
    closes: true,
  },
  {
    name: "refuses a token",
    send: 'CONNECT {"auth_token":"b"}\r\n',
    answer: "-ERR 'Authorization Violation'\r\n",
    closes: true,
  },
  {
    name: "lets the user CONNECT again",
    send: 'CONNECT {"user":"a","pass":"b"}\r\nCONNECT {}\r\n',
    answer: "+OK\r\n+OK\r\n",
  },
  {
    name: "looks at the credentials of a second CONNECT, too",
    send: 'CONNECT {"user":"a","pass":"b"}\r\nCONNECT {"pass":"x"}\r\n',
    answer: "+OK\r\n-ERR 'Authorization Violation'\r\n",
    closes: true,
  },
];

const WITH_TOKEN: readonly Exchange[] = [
  { name: "accepts the token", send: 'CONNECT {"auth_token":"tok"}\r\n', answer: "+OK\r\n" },
  { name: "accepts the token beside a user", send: 'CONNECT {"auth_token":"tok","user":"x"}\r\n', answer: "+OK\r\n" },
  {
    name: "refuses another token",
    send: 'CONNECT {"auth_token":"toktok"}\r\n',
    answer: "-ERR 'Authorization Violation'\r\n",
    closes: true,
  },
  {
    name: "refuses the token as a user",
    send: 'CONNECT {"user":"tok"}\r\n',
    answer: "-ERR 'Authorization Violation'\r\n",
    closes: true,
  },
];

const WITH_USERS: readonly Exchange[] = [
  { name: "accepts the first user", send: 'CONNECT {"user":"a","pass":"b"}\r\n', answer: "+OK\r\n" },
  { name: "accepts the second user", send: 'CONNECT {"user":"c","pass":"d"}\r\n', answer: "+OK\r\n" },
  {
    name: "refuses one user with the other's password",
    send: 'CONNECT {"user":"a","pass":"d"}\r\n',
    answer: "-ERR 'Authorization Violation'\r\n",
    closes: true,
  },
  {
    name: "refuses an unknown user",
    send: 'CONNECT {"user":"x","pass":"d"}\r\n',
    answer: "-ERR 'Authorization Violation'\r\n",
    closes: true,
  },
  { name: "refuses an empty user", send: "CONNECT {}\r\n", answer: "-ERR 'Authorization Violation'\r\n", closes: true },
];

const LIMITED: readonly Exchange[] = [
  {
    name: "refuses subscriptions over the limit, and goes on",
    send: 'CONNECT {"verbose":true}\r\nSUB a 1\r\nSUB b 2\r\nSUB c 3\r\nUNSUB 1\r\nSUB c 3\r\n',
    answer: "+OK\r\n+OK\r\n+OK\r\n-ERR 'maximum subscriptions exceeded'\r\n+OK\r\n+OK\r\n",
  },
  {
    name: "takes a payload at the limit",
    send: `${PLAIN}SUB a 1\r\nPUB a 10\r\n0123456789\r\n`,
    answer: "MSG a 1 10\r\n0123456789\r\n",
  },
  {
    name: "closes on a payload over the limit",
    send: `${PLAIN}PUB a 11\r\n01234567890\r\n`,
    answer: "-ERR 'Maximum Payload Violation'\r\n",
    closes: true,
  },
  {
    name: "closes on arguments over the limit",
    send: `${PLAIN}SUB ${"x".repeat(63)} 1\r\n`,
    answer: "-ERR 'maximum control line exceeded'\r\n",
    closes: true,
  },
];

const AS_GUEST = 'CONNECT {"verbose":false,"pedantic":false}\r\n';
const publishViolation = (subject: string): string => `-ERR 'Permissions Violation for Publish to ${subject}'\r\n`;
const subscribeViolation = (rest: string): string => `-ERR 'Permissions Violation for Subscription to ${rest}'\r\n`;
const as = (user: string, more = ""): string =>
  `CONNECT {"user":"${user}","pass":"${user}","verbose":false${more}}\r\n`;

const PERMITTED: readonly Exchange[] = [
  { name: "takes who says nothing for a guest", send: "PING\r\n", answer: "PONG\r\n" },
  {
    name: "judges a guest who says nothing as a guest",
    send: "PUB other 1\r\nx\r\nSUB other 1\r\n",
    answer: `${publishViolation('"other"')}${subscribeViolation('"other"')}`,
  },
  {
    name: "refuses a wrong password even so",
    send: 'CONNECT {"user":"guest","pass":"x"}\r\n',
    answer: "-ERR 'Authorization Violation'\r\n",
    closes: true,
  },
  {
    name: "allows publishes by list, and denies some of them",
    send: `CONNECT {"pedantic":false}\r\nPUB pub.a 1\r\nx\r\nPUB pub.secret 1\r\nx\r\nPUB x.y 1\r\nx\r\nPUB x.y.z 1\r\nx\r\nPUB x.* 1\r\nx\r\nPUB > 1\r\nx\r\n`,
    answer: `+OK\r\n+OK\r\n${publishViolation('"pub.secret"')}+OK\r\n${publishViolation('"x.y.z"')}+OK\r\n${publishViolation('">"')}`,
  },
  {
    name: "judges messages with headers as those without",
    send: 'CONNECT {"headers":true,"pedantic":false}\r\nHPUB no 12 14\r\nNATS/1.0\r\n\r\nhi\r\n',
    answer: `+OK\r\n${publishViolation('"no"')}`,
  },
  {
    name: "quotes subjects as Go does",
    send: `${AS_GUEST}PUB a\x01\xff"b\\ 1\r\nx\r\n`,
    answer: publishViolation('"a\\x01\\xff\\"b\\\\"'),
  },
  {
    name: "says the pedantic thing first",
    send: "CONNECT {}\r\nPUB foo.* 1\r\nx\r\n",
    answer: `+OK\r\n-ERR 'Invalid Publish Subject'\r\n${publishViolation('"foo.*"')}`,
  },
  {
    name: "allows subscriptions by list, and denies some of them",
    send: "CONNECT {}\r\nSUB sub.> 1\r\nSUB sub.deny.x 2\r\nSUB sub.deny.* 3\r\nSUB sub.* 4\r\nSUB other 5\r\nSUB > 6\r\nSUB sub 7\r\n",
    answer: `+OK\r\n+OK\r\n${subscribeViolation('"sub.deny.x"')}${subscribeViolation('"sub.deny.*"')}+OK\r\n${["other", ">", "sub"].map((subject) => subscribeViolation(`"${subject}"`)).join("")}`,
  },
  {
    name: "judges queue groups by the entries that name some",
    send: "CONNECT {}\r\nSUB q 1\r\nSUB q v1 2\r\nSUB q v2 3\r\nSUB w.a v.1 4\r\nSUB w.a x 5\r\nSUB sub.q dq 6\r\nSUB sub.q other 7\r\nSUB sub.q 8\r\nSUB sub.x any 9\r\n",
    answer: [
      "+OK\r\n",
      subscribeViolation('"q"'),
      "+OK\r\n",
      subscribeViolation('"q" using queue "v2"'),
      "+OK\r\n",
      subscribeViolation('"w.a" using queue "x"'),
      subscribeViolation('"sub.q" using queue "dq"'),
      "+OK\r\n+OK\r\n+OK\r\n",
    ].join(""),
  },
  {
    name: "looks at permissions before the number of a subscription that is there",
    send: `${AS_GUEST}SUB sub.a 1\r\nSUB no 1\r\n`,
    answer: subscribeViolation('"no"'),
  },
  {
    name: "lets nobody into the system's queue group",
    send: `${as("free")}SUB foo _sys_ 1\r\n`,
    answer: subscribeViolation('"foo" using queue "_sys_"'),
  },
  {
    name: "gives users without permissions those of everybody",
    send: `${as("plain")}PUB def.x 1\r\nx\r\nPUB foo 1\r\nx\r\nSUB def.> 1\r\nSUB foo 2\r\n`,
    answer: `${publishViolation('"foo"')}${subscribeViolation('"foo"')}`,
  },
  {
    name: "lets users with permissions of their own do what these do not forbid",
    send: `${as("free")}SUB foo 1\r\nPUB foo 1\r\nx\r\nPUB no.more 1\r\nx\r\n`,
    answer: `MSG foo 1 1\r\nx\r\n${publishViolation('"no.more"')}`,
  },
  {
    name: "keeps denied messages from subscriptions that cover them",
    send: `${as("covered")}SUB > 1\r\nSUB *.* q 2\r\nPUB secret.x 1\r\na\r\nPUB fine.x 1\r\nb\r\nPUB secret.x.y 1\r\nc\r\n`,
    answer: "MSG fine.x 1 1\r\nb\r\nMSG fine.x 2 1\r\nb\r\nMSG secret.x.y 1 1\r\nc\r\n",
  },
  {
    name: "reports no responders when all are kept from it",
    send: `${as("covered", ',"headers":true,"no_responders":true')}SUB > 1\r\nPUB secret.x r 1\r\na\r\n`,
    answer: `HMSG r 1 ${NO_RESPONDERS}`,
  },
  {
    name: "allows as many answers as it says to what was received, and publishes by list",
    send: `${as("answers")}SUB > 1\r\nPUB back 1\r\na\r\nPUB req back 1\r\nb\r\nPUB back 1\r\nc\r\nPUB back 1\r\nd\r\nPUB back 1\r\ne\r\n`,
    answer: `${publishViolation('"back"')}MSG req 1 back 1\r\nb\r\nMSG back 1 1\r\nc\r\nMSG back 1 1\r\nd\r\n${publishViolation('"back"')}`,
  },
  {
    name: "allows nothing but answers to who may answer and has no list",
    send: `${as("one")}SUB foo 1\r\nPUB foo 1\r\nx\r\n`,
    answer: publishViolation('"foo"'),
  },
  {
    name: "judges a second CONNECT anew",
    send: `${as("plain")}SUB def.a 1\r\n${as("free")}SUB foo 2\r\nPUB foo 1\r\nx\r\n`,
    answer: "MSG foo 2 1\r\nx\r\n",
  },
  {
    name: "refuses a key without a signature",
    send: 'CONNECT {"nkey":"UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"}\r\n',
    answer: "-ERR 'Authorization Violation'\r\n",
    closes: true,
  },
  {
    name: "refuses a key with a wrong signature",
    send: 'CONNECT {"nkey":"UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4","sig":"abc"}\r\n',
    answer: "-ERR 'Authorization Violation'\r\n",
    closes: true,
  },
];

const PERMISSIONS: Authorization = {
  kind: "users",
  noAuthUser: "guest",
  defaultPermissions: { publish: { allow: ["def.>"] }, subscribe: { allow: ["def.>"] } },
  users: [
    {
      user: "guest",
      password: "guest",
      permissions: {
        publish: { allow: ["pub.>", "x.*"], deny: ["pub.secret"] },
        subscribe: { allow: ["sub.>", "q v1", "w.* v.*"], deny: ["sub.deny.*", "sub.q dq"] },
      },
    },
    { user: "plain", password: "plain" },
    { user: "free", password: "free", permissions: { publish: { deny: ["no.>"] } } },
    { user: "covered", password: "covered", permissions: { subscribe: { deny: ["secret.*"] } } },
    {
      user: "answers",
      password: "answers",
      permissions: { publish: { allow: ["req"] }, responses: { maxMessages: 2, expiresMillis: 60_000 } },
    },
    { user: "one", password: "one", permissions: { responses: {} } },
    { nkey: "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4" },
  ],
};

const PERMISSIONS_CONFIGURATION = `
no_auth_user: guest
authorization {
  default_permissions: { publish: "def.>", subscribe: "def.>" }
  users: [
    { user: guest, password: guest, permissions: {
      publish: { allow: ["pub.>", "x.*"], deny: "pub.secret" }
      subscribe: { allow: ["sub.>", "q v1", "w.* v.*"], deny: ["sub.deny.*", "sub.q dq"] } } }
    { user: plain, password: plain }
    { user: free, password: free, permissions: { publish: { deny: "no.>" } } }
    { user: covered, password: covered, permissions: { subscribe: { deny: "secret.*" } } }
    { user: answers, password: answers, permissions: { publish: req, allow_responses: { max: 2, expires: "1m" } } }
    { user: one, password: one, permissions: { allow_responses: true } }
    { nkey: UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4 }
  ]
}`;

const SETTINGS: readonly Setting[] = [
  { name: "open to everybody", options: {}, configuration: "", exchanges: OPEN },
  {
    name: "with one user",
    options: { authorization: { kind: "user", user: "a", password: "b" } },
    configuration: "authorization { user: a, password: b }",
    exchanges: WITH_USER,
  },
  {
    name: "with a token",
    options: { authorization: { kind: "token", token: "tok" } },
    configuration: "authorization { token: tok }",
    exchanges: WITH_TOKEN,
  },
  {
    name: "with several users",
    options: {
      authorization: {
        kind: "users",
        users: [
          { user: "a", password: "b" },
          { user: "c", password: "d" },
        ],
      },
    },
    configuration: "authorization { users: [{user: a, password: b}, {user: c, password: d}] }",
    exchanges: WITH_USERS,
  },
  {
    name: "with permissions",
    options: { authorization: PERMISSIONS },
    configuration: PERMISSIONS_CONFIGURATION,
    exchanges: PERMITTED,
  },
  {
    name: "with a limit of tokens",
    options: { maxSubscriptionTokens: 2 },
    configuration: "max_sub_tokens: 2",
    exchanges: [
      {
        name: "refuses subscriptions over the limit, and goes on",
        send: `${PLAIN}SUB a.b 1\r\nSUB a.b.c 2\r\nSUB > 3\r\n`,
        answer: `-ERR 'Permissions Violation for Subscription to "a.b.c", too many tokens'\r\n`,
      },
    ],
  },
  {
    name: "with limits",
    options: { maxSubscriptions: 2, maxPayload: 10, maxControlLine: 64 },
    configuration: "max_subscriptions: 2\nmax_payload: 10\nmax_control_line: 64",
    exchanges: LIMITED,
  },
];

interface Target {
  readonly port: number;
  stop(): Promise<void>;
}

const TARGETS: readonly { readonly name: string; start(setting: Setting): Promise<Target> }[] = [
  {
    name: "the broker",
    async start({ options }): Promise<Target> {
      const broker = createBroker({ host: "127.0.0.1", port: 0, ...options });
      const { port } = await broker.listen();
      return { port, stop: () => broker.close() };
    },
  },
  ...(hasNatsServer()
    ? [
        {
          name: "nats-server 2.9",
          start: ({ configuration }: Setting): Promise<Target> => startNatsServer(configuration),
        },
      ]
    : []),
];

for (const target of TARGETS) {
  for (const setting of SETTINGS) {
    describe(`${target.name}, ${setting.name},`, () => {
      let server: Target;
      beforeAll(async () => {
        server = await target.start(setting);
      });
      afterAll(() => server.stop());

      for (const { name, send, answer, closes } of setting.exchanges) {
        it(name, async () => {
          const client = await RawClient.open(server.port);
          const pieces = typeof send === "string" ? [send] : send;
          for (const piece of pieces) {
            client.send(piece);
            // The server reads between two pieces; another connection's round trip shows that it has.
            if (pieces.length > 1) (await roundTrip(server.port, setting)).close();
          }
          if (closes === true) {
            expect(await client.rest()).toBe(answer);
          } else {
            client.send("PING\r\n");
            const expected = `${answer}PONG\r\n`;
            await client.until(() => pongs(client.text) >= pongs(expected));
            expect(client.text).toBe(expected);
            client.close();
          }
        });
      }
    });
  }
}

function pongs(text: string): number {
  return text.split("PONG\r\n").length - 1;
}

async function roundTrip(port: number, setting: Setting): Promise<RawClient> {
  const client = await RawClient.open(port);
  expect(setting.options.authorization).toBeUndefined();
  await client.synced();
  return client;
}
