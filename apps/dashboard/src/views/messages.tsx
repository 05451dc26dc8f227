import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Messagesz, StoredMessage } from "../api/types.ts";
import { usePolled } from "../api/use-polled.ts";
import { Choice, Empty, Failure, Loading, Section } from "../components/basics.tsx";
import { bytes, count, moment } from "../format.ts";
import { type Display, decodeBase64, display, displayFor, preview } from "./message-text.ts";

type Mode = "last" | "from" | "time";

const MODES: readonly (readonly [Mode, string])[] = [
  ["last", "Last"],
  ["from", "From sequence"],
  ["time", "From time"],
];

const DISPLAYS: readonly (readonly [Display, string])[] = [
  ["json", "JSON"],
  ["text", "Text"],
  ["hex", "Hex"],
];

/** Messages that are shown at a time. */
const COUNTS: readonly (readonly [string, string])[] = [
  ["10", "10"],
  ["25", "25"],
  ["100", "100"],
];

/** A page of messages does not change but at its end. */
const POLL_MILLIS = 3_000;

/** Looks into the messages of a channel. */
export function Messages({
  channel,
  lastSequence,
}: {
  readonly channel: string;
  readonly lastSequence: number;
}): JSX.Element {
  const [mode, setMode] = useState<Mode>("last");
  // As typed: a view that is drawn anew meanwhile must not take it back.
  const [fromText, setFromText] = useState("1");
  const from = Math.max(1, Math.floor(Number(fromText)) || 1);
  const [time, setTime] = useState(() => localTime(new Date(Date.now() - 3_600_000)));
  const [size, setSize] = useState("10");
  const [open, setOpen] = useState<number>();
  const start = startOf(mode, from, time, Number(size));
  const path = start === undefined ? undefined : `streaming/messagesz?channel=${encodeURIComponent(channel)}&${start}`;
  const { data, error } = usePolled<Messagesz>(path, { everyMillis: POLL_MILLIS });
  // The newest stand first where the end is looked at, else they are read as they were written.
  const messages = mode === "last" ? data?.messages.toReversed() : data?.messages;

  const move = (sequence: number): void => {
    setMode("from");
    setFromText(String(Math.max(1, sequence)));
  };

  return (
    <Section title="Messages">
      <div class="controls">
        <Choice label="Where to begin" options={MODES} value={mode} onChange={setMode} />
        {mode === "from" && (
          <input
            type="number"
            aria-label="First sequence"
            min={1}
            max={Math.max(1, lastSequence)}
            value={fromText}
            onInput={(event) => setFromText(event.currentTarget.value)}
          />
        )}
        {mode === "time" && (
          <input
            type="datetime-local"
            aria-label="First time"
            step={1}
            value={time}
            onInput={(event) => setTime(event.currentTarget.value)}
          />
        )}
        <Choice label="How many" options={COUNTS} value={size} onChange={setSize} />
        {mode === "from" && data !== undefined && (
          <nav class="pager" aria-label="Pages of messages">
            <button type="button" disabled={from <= data.first_seq} onClick={() => move(from - Number(size))}>
              Earlier
            </button>
            <button type="button" disabled={data.next === 0} onClick={() => move(data.next)}>
              Later
            </button>
          </nav>
        )}
      </div>
      <Failure error={error} />
      {messages === undefined ? (
        error === undefined && path !== undefined && <Loading />
      ) : messages.length === 0 ? (
        <Empty title={lastSequence === 0 ? "No message has been published yet" : "There are no messages there"} />
      ) : (
        <ol class="card messages">
          {messages.map((message) => (
            <Message
              key={message.seq}
              message={message}
              isOpen={open === message.seq}
              onToggle={() => setOpen(open === message.seq ? undefined : message.seq)}
            />
          ))}
        </ol>
      )}
    </Section>
  );
}

function Message({
  message,
  isOpen,
  onToggle,
}: {
  readonly message: StoredMessage;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}): JSX.Element {
  // Up to 64 KiB, of a hundred messages, and the view is drawn anew with each answer.
  const data = useMemo(() => decodeBase64(message.data), [message.data]);
  return (
    <li class={isOpen ? "open" : ""}>
      <button type="button" class="message" aria-expanded={isOpen} onClick={onToggle}>
        <span class="seq">{count(message.seq)}</span>
        <time dateTime={message.time}>{moment(message.time)}</time>
        <span class="size">{bytes(message.size)}</span>
        <code class="preview">{message.size === 0 ? "(empty)" : preview(data)}</code>
      </button>
      {isOpen && <Body message={message} data={data} />}
    </li>
  );
}

function Body({ message, data }: { readonly message: StoredMessage; readonly data: Uint8Array }): JSX.Element {
  const [how, setHow] = useState(() => displayFor(data));
  return (
    <div class="body">
      <div class="controls">
        <Choice label={`Show message ${message.seq} as`} options={DISPLAYS} value={how} onChange={setHow} />
        <span class="muted">{message.time}</span>
        {message.reply !== undefined && (
          <span class="muted">
            reply <code>{message.reply}</code>
          </span>
        )}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keys */}
      <pre tabIndex={0}>{display(data, how)}</pre>
      {message.truncated === true && (
        <p class="muted">
          Only the first {bytes(data.length)} of {bytes(message.size)} are shown.
        </p>
      )}
    </div>
  );
}

/** The query for what is asked for; undefined while that is no time. */
function startOf(mode: Mode, from: number, time: string, size: number): string | undefined {
  switch (mode) {
    case "last":
      return `last=${size}`;
    case "from":
      return `from=${from}&count=${size}`;
    case "time": {
      const date = new Date(time);
      return Number.isNaN(date.getTime()) ? undefined : `time=${date.toISOString()}&count=${size}`;
    }
  }
}

/** As a field for date and time wants it. */
function localTime(date: Date): string {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
