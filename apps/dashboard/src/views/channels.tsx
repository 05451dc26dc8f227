import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Channelsz } from "../api/types.ts";
import { usePolled } from "../api/use-polled.ts";
import { Empty, Failure, Loading, Pager, Section } from "../components/basics.tsx";
import { count } from "../format.ts";
import { ChannelTable, NoChannels, noteChannels } from "./channel-table.tsx";

const PAGE = 50;
/** The server is asked once typing has paused for so long. */
const TYPING_MILLIS = 200;

export function Channels(): JSX.Element {
  const [offset, setOffset] = useState(0);
  const [text, setText] = useState("");
  const match = useSettled(text, TYPING_MILLIS);
  const field = useRef<HTMLInputElement>(null);
  const filter = match === "" ? "" : `&match=${encodeURIComponent(match)}`;
  const path = `streaming/channelsz?details=1&offset=${offset}&limit=${PAGE}${filter}`;
  const { data, error } = usePolled<Channelsz>(path, { onData: noteChannels });

  useEffect(() => {
    const find = (event: KeyboardEvent): void => {
      if (event.key !== "/" || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener("keydown", find);
    return () => removeEventListener("keydown", find);
  }, []);

  const search = (
    <label class="search">
      <span class="hidden">Find channels whose names contain</span>
      <input
        ref={field}
        type="search"
        placeholder="Find by name"
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setOffset(0);
        }}
      />
      <kbd>/</kbd>
    </label>
  );
  const channels = data?.channels ?? [];
  return (
    <Section title={data === undefined ? "Channels" : `Channels (${count(data.total)})`} note={search}>
      <Failure error={error} />
      {data === undefined ? (
        error === undefined && <Loading />
      ) : channels.length > 0 ? (
        <ChannelTable channels={channels} />
      ) : match === "" ? (
        <NoChannels />
      ) : (
        <Empty title={`No channel's name contains “${match}”`} />
      )}
      {data !== undefined && <Pager offset={offset} limit={PAGE} total={data.total} onMove={setOffset} />}
    </Section>
  );
}

/** A value once it has stayed the same for a while. */
function useSettled<T>(value: T, millis: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), millis);
    return () => clearTimeout(timer);
  }, [value, millis]);
  return settled;
}
