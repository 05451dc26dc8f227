import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bodyText } from "../../test-support/body-text.ts";
import { busySource } from "../../test-support/busy-source.ts";
import { parseExposition } from "../../test-support/exposition.ts";
import { clockAt } from "../../test-support/fake-source.ts";
import { STRANGER } from "../../test-support/get.ts";
import { SAMPLE_TIMES } from "../../test-support/golden.ts";
import { createMetrics } from "./metrics-route.ts";

const file = (name: string): string =>
  readFileSync(new URL(`../../../../deploy/grafana/${name}`, import.meta.url), "utf8");

/** Series names that a scrape of a busy server has, and those that Prometheus makes itself. */
async function existing(): Promise<ReadonlySet<string>> {
  const metrics = createMetrics(busySource(), clockAt(SAMPLE_TIMES.serverz));
  const body = await bodyText(await metrics.route(new URLSearchParams(), STRANGER));
  metrics.close();
  const { samples } = parseExposition(body);
  return new Set(["up", ...[...samples.keys()].map((series) => series.replace(/\{.*/s, ""))]);
}

/** The names in an expression that stand where a metric stands: words that are no functions, labels or keywords. */
function metricsOf(expression: string): string[] {
  const bare = expression
    .replace(/\{[^}]*\}/g, "")
    .replace(/\[[^\]]*\]/g, "")
    .replace(/\b(by|without|on|ignoring)\s*\([^)]*\)/g, "");
  return [...bare.matchAll(/\b[a-z_][a-z0-9_]*\b(?!\s*\()/g)]
    .map(([name]) => name)
    .filter((name) => !["and", "or", "unless", "by", "without"].includes(name));
}

/** Every value under one of the keys, at any depth. */
function valuesOf(value: unknown, keys: ReadonlySet<string>): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    keys.has(key) && typeof member === "string" ? [member] : valuesOf(member, keys),
  );
}

describe("deploy/grafana", () => {
  it("dashboard.json shows metrics that exist, all of them in valid JSON", async () => {
    const dashboard: unknown = JSON.parse(file("dashboard.json"));
    const expressions = valuesOf(dashboard, new Set(["expr"]));
    expect(expressions.length).toBeGreaterThan(25);
    const names = await existing();
    for (const expression of expressions) {
      const metrics = metricsOf(expression);
      expect(metrics, expression).not.toEqual([]);
      for (const metric of metrics) expect(names, expression).toContain(metric);
    }
    const variables = valuesOf(dashboard, new Set(["query"])).flatMap(
      (query) => /label_values\((\w+),/.exec(query)?.[1] ?? [],
    );
    expect(variables.length).toBe(2);
    for (const metric of variables) expect(names).toContain(metric);
  });

  it("alerts.yml asks for metrics that exist, and every rule says what it is about", async () => {
    const rules = file("alerts.yml").split("- alert: ").slice(1);
    expect(rules.length).toBeGreaterThan(10);
    const names = await existing();
    for (const rule of rules) {
      const expression = /^ +expr: (.+)$/m.exec(rule)?.[1] ?? "";
      const metrics = metricsOf(expression);
      expect(metrics, rule).not.toEqual([]);
      for (const metric of metrics) expect(names, expression).toContain(metric);
      expect(rule).toMatch(/^ +labels: \{ severity: (critical|warning|info) \}$/m);
      expect(rule).toMatch(/^ +summary: .+$/m);
    }
  });

  it("finds a name that does not exist, so that the two tests above mean something", () => {
    expect(metricsOf('histogram_quantile(0.99, sum by (le) (rate(nope_bucket{a="b"}[5m]))) > 1')).toEqual([
      "nope_bucket",
    ]);
    expect(metricsOf("a_total and b_total > 0.1 * c")).toEqual(["a_total", "b_total", "c"]);
  });
});
