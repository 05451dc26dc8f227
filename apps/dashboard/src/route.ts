import { useEffect, useState } from "preact/hooks";

/** What is looked at. */
export type Route =
  | { readonly view: "overview" }
  | { readonly view: "channels" }
  | { readonly view: "channel"; readonly name: string }
  | { readonly view: "clients" }
  | { readonly view: "client"; readonly id: string }
  | { readonly view: "partitions" }
  | { readonly view: "server" };

export const href = {
  overview: "#/",
  channels: "#/channels",
  channel: (name: string): string => `#/channels/${encodeURIComponent(name)}`,
  clients: "#/clients",
  client: (id: string): string => `#/clients/${encodeURIComponent(id)}`,
  partitions: "#/partitions",
  server: "#/server",
} as const;

/** The part of the address behind `#`; what is no view is the overview. */
export function readRoute(hash: string): Route {
  const [, view = "", ...rest] = hash.split("/");
  const name = decode(rest.join("/"));
  switch (view) {
    case "channels":
      return name === "" ? { view: "channels" } : { view: "channel", name };
    case "clients":
      return name === "" ? { view: "clients" } : { view: "client", id: name };
    case "partitions":
      return { view: "partitions" };
    case "server":
      return { view: "server" };
    default:
      return { view: "overview" };
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Follows the address. */
export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = (): void => setHash(location.hash);
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return readRoute(hash);
}
