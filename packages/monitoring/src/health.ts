import { toJson } from "./json.ts";
import { type MonitoringResponse, textResponse } from "./response.ts";
import type { MonitoringSource, ServerPhase } from "./source.ts";

/**
 * `/healthz`, for liveness: 200 as long as restarting would not help. Compact, as the NATS server answers.
 */
export function healthResponse(source: MonitoringSource): MonitoringResponse {
  const { phase } = source.server();
  if (phase === "failed" || phase === "stopped") {
    return json(503, JSON.stringify({ status: "unavailable", error: `the server has ${phase}` }));
  }
  return json(200, '{"status":"ok"}');
}

/** What `role` may ask for. */
const ROLES: readonly string[] = ["active", "standby"] satisfies readonly ServerPhase[];

/**
 * `/readyz`: 200 when the server does its part, which for a standby is to stand by. `role=active` and `role=standby` ask for
 * one part, `strict=1` also for no channel in quarantine and no conflict. Names nothing and nobody: it is answered without a
 * password, too.
 */
export async function readyResponse(source: MonitoringSource, query: URLSearchParams): Promise<MonitoringResponse> {
  const wanted = query.get("role") ?? "";
  if (wanted !== "" && !ROLES.includes(wanted)) {
    return textResponse(400, `Invalid role ${JSON.stringify(wanted)}: use role=active or role=standby`);
  }
  const { phase, state } = source.server();
  const quarantined = source.store().quarantined?.length ?? 0;
  const conflicts = (await source.partitions?.())?.conflicts.length ?? 0;
  const doesItsPart = wanted === "" ? ROLES.includes(phase) : phase === wanted;
  const isSound = query.get("strict") !== "1" || (quarantined === 0 && conflicts === 0);
  const isReady = doesItsPart && isSound;
  const body = toJson({
    status: isReady ? "ready" : "not ready",
    role: phase,
    state,
    quarantined_channels: quarantined,
    conflicts,
  });
  return json(isReady ? 200 : 503, body);
}

function json(status: number, body: string): MonitoringResponse {
  return { status, contentType: "application/json", body };
}
