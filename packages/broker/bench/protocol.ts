/** What the bench asks of its server process, and what that answers. */
export type ServerOrder =
  /** Start counting; report when a local handler has had so many messages. 0: report when asked. */
  { readonly kind: "expect"; readonly messages: number } | { readonly kind: "report" } | { readonly kind: "stop" };

export type ServerReport =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "ready" }
  | { readonly kind: "done"; readonly cpuMicros: number };
