import { formatTime } from "../src/time.ts";
import { nanosOf } from "./fake-source.ts";

/** The moment of each sample in monitoring.md. */
export const SAMPLE_TIMES = {
  serverz: "2026-11-22T13:57:50.633200655Z",
  storez: "2026-11-22T13:57:50.64489508Z",
  clientsz: "2026-11-22T13:57:50.712444912Z",
  channelsz: "2026-11-22T13:57:50.736110643Z",
  emptyPage: "2026-11-22T13:57:50.783632378Z",
} as const;

/** A sample as it looks on this host, whose time zone need not be UTC. */
export function local(sample: string): string {
  return sample.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (time) => formatTime(nanosOf(time)));
}

export const SERVERZ = `{
  "cluster_id": "test-cluster",
  "server_id": "KUHrGoxQSpXTZBqqMAPA3v",
  "version": "0.25.6",
  "go": "go1.19.8",
  "state": "STANDALONE",
  "now": "2026-11-22T13:57:50.633200655Z",
  "start_time": "2026-11-22T13:57:44.919842039Z",
  "uptime": "5s",
  "clients": 2,
  "subscriptions": 5,
  "channels": 2,
  "total_msgs": 4,
  "total_bytes": 264,
  "in_msgs": 4,
  "in_bytes": 288,
  "out_msgs": 5,
  "out_bytes": 140,
  "open_fds": 30,
  "max_fds": 20000
}`;

export const STOREZ = `{
  "cluster_id": "test-cluster",
  "server_id": "KUHrGoxQSpXTZBqqMAPA3v",
  "now": "2026-11-22T13:57:50.64489508Z",
  "type": "FILE",
  "limits": {
    "max_channels": 100,
    "max_msgs": 1000000,
    "max_bytes": 1024000000,
    "max_age": 86400000000000,
    "max_subscriptions": 1000,
    "max_inactivity": 0,
    "channels": {
      "foo.\\u003e": {
        "max_msgs": 10,
        "max_bytes": 1024000000,
        "max_age": 86400000000000,
        "max_subscriptions": 1000,
        "max_inactivity": 0
      },
      "foo.bar": {
        "max_msgs": 10,
        "max_bytes": 1048576,
        "max_age": 0,
        "max_subscriptions": 1000,
        "max_inactivity": 0
      }
    }
  },
  "total_msgs": 4,
  "total_bytes": 264
}`;

export const CLIENTSZ = `{
  "cluster_id": "test-cluster",
  "server_id": "KUHrGoxQSpXTZBqqMAPA3v",
  "now": "2026-11-22T13:57:50.712444912Z",
  "offset": 1,
  "limit": 1,
  "count": 1,
  "total": 2,
  "clients": [
    {
      "id": "client-B",
      "hb_inbox": "_INBOX.aSGF008h1vUyNNcMS3xezS",
      "subs_count": 1
    }
  ]
}`;

export const CLIENT_A = `{
  "id": "client-A",
  "hb_inbox": "_INBOX.aSGF008h1vUyNNcMS3xeoy",
  "subs_count": 2,
  "subscriptions": {
    "foo.bar": [
      {
        "client_id": "client-A",
        "inbox": "_INBOX.aSGF008h1vUyNNcMS3xf7q",
        "ack_inbox": "_INBOX.KUHrGoxQSpXTZBqqMAPA9a",
        "is_durable": false,
        "is_offline": false,
        "max_inflight": 1024,
        "ack_wait": 30,
        "last_sent": 3,
        "pending_count": 0,
        "is_stalled": false
      },
      {
        "client_id": "client-A",
        "inbox": "_INBOX.aSGF008h1vUyNNcMS3xf9w",
        "ack_inbox": "_INBOX.KUHrGoxQSpXTZBqqMAPABT",
        "is_durable": false,
        "is_offline": false,
        "max_inflight": 2,
        "ack_wait": 60,
        "last_sent": 2,
        "pending_count": 2,
        "is_stalled": true
      }
    ]
  }
}`;

export const CHANNELSZ = `{
  "cluster_id": "test-cluster",
  "server_id": "KUHrGoxQSpXTZBqqMAPA3v",
  "now": "2026-11-22T13:57:50.736110643Z",
  "offset": 0,
  "limit": 1024,
  "count": 2,
  "total": 2,
  "names": [
    "baz",
    "foo.bar"
  ]
}`;

export const CHANNELSZ_EMPTY_PAGE = `{
  "cluster_id": "test-cluster",
  "server_id": "KUHrGoxQSpXTZBqqMAPA3v",
  "now": "2026-11-22T13:57:50.783632378Z",
  "offset": 9,
  "limit": 1024,
  "count": 0,
  "total": 2
}`;

export const CHANNEL_FOO_BAR = `{
  "name": "foo.bar",
  "msgs": 3,
  "bytes": 204,
  "first_seq": 1,
  "last_seq": 3,
  "subs_count": 4
}`;

/** The element of a `subs=1` list; the rest of the list is not recorded. */
export const CHANNEL_BAZ_IN_LIST = `    {
      "name": "baz",
      "msgs": 1,
      "bytes": 60,
      "first_seq": 1,
      "last_seq": 1,
      "subs_count": 1,
      "subscriptions": [
        {
          "client_id": "client-B",
          "inbox": "_INBOX.aSGF008h1vUyNNcMS3xfGE",
          "ack_inbox": "_INBOX.KUHrGoxQSpXTZBqqMAPAH8",
          "queue_name": "dqoff:off",
          "is_durable": true,
          "is_offline": true,
          "max_inflight": 1024,
          "ack_wait": 30,
          "last_sent": 1,
          "pending_count": 0,
          "is_stalled": false
        }
      ]
    }`;
