import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { noteCounter } from "./api/history.ts";
import type { Partitionsz, Readyz, Serverz, Storez } from "./api/types.ts";
import { type Polled, usePolled } from "./api/use-polled.ts";
import { Banners } from "./components/banner.tsx";
import { Chip, type Tone } from "./components/basics.tsx";
import { href, type Route, useRoute } from "./route.ts";
import { useTheme } from "./theme.ts";
import { ChannelView } from "./views/channel.tsx";
import { Channels } from "./views/channels.tsx";
import { Clients, ClientView } from "./views/clients.tsx";
import { Overview } from "./views/overview.tsx";
import { Partitions } from "./views/partitions.tsx";
import { ServerView } from "./views/server.tsx";

/** What changes seldom is asked for seldom. */
const SLOW_MILLIS = 5_000;

const TABS: readonly (readonly [Route["view"], string, string])[] = [
  ["overview", "Overview", href.overview],
  ["channels", "Channels", href.channels],
  ["clients", "Clients", href.clients],
  ["partitions", "Partitions", href.partitions],
  ["server", "Server", href.server],
];

/** Under which tab a view stands. */
const TAB_OF: Readonly<Partial<Record<Route["view"], Route["view"]>>> = { channel: "channels", client: "clients" };

const ROLE_TONES: Readonly<Record<Readyz["role"], Tone>> = {
  active: "good",
  standby: "info",
  starting: "info",
  recovering: "info",
  failed: "bad",
  stopped: "bad",
};

function noteServer({ in_msgs, out_msgs, in_bytes, out_bytes }: Serverz, at: number): void {
  for (const [key, value] of Object.entries({ in_msgs, out_msgs, in_bytes, out_bytes })) noteCounter(key, value, at);
}

export function App(): JSX.Element {
  const route = useRoute();
  const [theme, toggleTheme] = useTheme();
  const server = usePolled<Serverz>("streaming/serverz", { onData: noteServer });
  const ready = usePolled<Readyz>("readyz", { everyMillis: SLOW_MILLIS });
  const store = usePolled<Storez>("streaming/storez", { everyMillis: SLOW_MILLIS });
  const map = usePolled<Partitionsz>("streaming/partitionsz", { everyMillis: SLOW_MILLIS });
  const main = useRef<HTMLElement>(null);
  const place = JSON.stringify(route);

  // Whenever another thing is looked at.
  useEffect(() => {
    scrollTo(0, 0);
    document.title = titleOf(route, server.data);
  }, [place, server.data?.cluster_id]);

  const view = (): JSX.Element => {
    switch (route.view) {
      case "overview":
        return <Overview server={server.data} store={store.data} map={map.data} theme={theme} />;
      case "channels":
        return <Channels />;
      case "channel":
        return (
          <ChannelView key={route.name} name={route.name} theme={theme} quarantined={store.data?.quarantined ?? []} />
        );
      case "clients":
        return <Clients />;
      case "client":
        return <ClientView key={route.id} id={route.id} />;
      case "partitions":
        return <Partitions map={map.data} />;
      case "server":
        return <ServerView server={server.data} store={store.data} />;
    }
  };

  const tab = TAB_OF[route.view] ?? route.view;
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <div class="brand">
          <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
            <rect width="24" height="24" rx="6" />
            <path d="M6 8h12M6 12h12M6 16h7" />
          </svg>
          <div>
            <strong>{server.data?.cluster_id || "NATS Streaming"}</strong>
            <code>{server.data?.server_id}</code>
          </div>
        </div>
        <nav class="tabs" aria-label="Views">
          {TABS.map(([view, text, target]) => (
            <a key={view} href={target} aria-current={tab === view ? "page" : undefined}>
              {text}
              <Mark view={view} store={store} map={map} />
            </a>
          ))}
        </nav>
        <div class="status">
          {ready.data !== undefined && <Chip tone={ROLE_TONES[ready.data.role]}>{ready.data.role}</Chip>}
          {server.data !== undefined && <span class="muted uptime">up {server.data.uptime}</span>}
          <button
            type="button"
            class="theme"
            onClick={toggleTheme}
            aria-label={`Use the ${theme === "dark" ? "light" : "dark"} theme`}
          >
            <svg viewBox="0 0 20 20" width="16" height="16" aria-hidden="true">
              <circle cx="10" cy="10" r="7.25" />
              <path d="M10 2.75a7.25 7.25 0 0 1 0 14.5z" />
            </svg>
          </button>
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <Banners ready={ready.data} store={store.data} map={map.data} silence={server.error?.message} />
        {view()}
      </main>
    </>
  );
}

/** A dot at the tab where something is wrong. */
function Mark({
  view,
  store,
  map,
}: {
  readonly view: Route["view"];
  readonly store: Polled<Storez>;
  readonly map: Polled<Partitionsz>;
}): JSX.Element | null {
  const isWrong =
    (view === "server" && (store.data?.quarantined?.length ?? 0) > 0) ||
    (view === "partitions" && (map.data?.conflicts_total ?? 0) + (map.data?.unowned_total ?? 0) > 0);
  return isWrong ? <i class="mark" role="img" aria-label="needs attention" /> : null;
}

function titleOf(route: Route, server: Serverz | undefined): string {
  const what =
    route.view === "channel"
      ? route.name
      : route.view === "client"
        ? route.id
        : (TABS.find(([view]) => view === route.view)?.[1] ?? "");
  return `${what} – ${server?.cluster_id || "NATS Streaming"}`;
}
