/** Metrics of an answer in Prometheus' text format. */
export interface Exposition {
  /** Type by name. */
  readonly families: ReadonlyMap<string, string>;
  /** Value by series as written. */
  readonly samples: ReadonlyMap<string, number>;
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+)$/;

/** Reads the format strictly: whatever Prometheus would refuse, or ignore, is an error here. */
export function parseExposition(text: string): Exposition {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, string>();
  const helped = new Set<string>();
  const samples = new Map<string, number>();
  let current = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const help = /^# HELP (\S+) (.+)$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (line === "") continue;
    if (help?.[1] !== undefined) {
      if (helped.has(help[1])) throw new Error(`twice: ${line}`);
      helped.add(help[1]);
    } else if (type?.[1] !== undefined) {
      if (families.has(type[1])) throw new Error(`twice: ${line}`);
      current = type[1];
      families.set(current, type[2] ?? "");
      if (!helped.has(current)) throw new Error(`no help: ${current}`);
    } else {
      const [, name = "", labels = "", value = ""] = SAMPLE.exec(line) ?? [];
      if (name === "" || Number.isNaN(Number(value))) throw new Error(`no sample: ${line}`);
      const base = families.get(current) === "histogram" ? name.replace(/_(bucket|sum|count)$/, "") : name;
      if (base !== current) throw new Error(`outside of its family ${current}: ${line}`);
      if (samples.has(name + labels)) throw new Error(`twice: ${line}`);
      samples.set(name + labels, Number(value));
    }
  }
  return { families, samples };
}
