// The tables of docs/errors.md, made from the code: texts and codes from the values, meanings and remedies from the comments.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { codesOf, codeTypesOf, functionOf, membersOf } from "./comments.mjs";
import { publishable } from "./pack/publishable.mjs";
import { root } from "./prepare.mjs";

/** Where texts come from: sources in the tests, what was built in `pnpm run docs`. */
export const TEXT_MODULES = {
  stan: "packages/protocol/src/stan/errors.ts",
  nats: "packages/protocol/src/nats/faults.ts",
  denials: "packages/broker/src/denial-texts.ts",
  engine: "packages/engine/src/errors.ts",
  partition: "packages/partition/src/texts.ts",
  faultTolerance: "packages/fault-tolerance/src/texts.ts",
  remedies: "apps/server/src/remedies.ts",
  bus: "apps/server/src/bus-failure.ts",
};

/**
 * @param {Record<keyof typeof TEXT_MODULES, Record<string, any>>} modules
 * @returns {string} Markdown
 */
export function errorTables(modules) {
  return [
    "## Answers to streaming clients",
    "The `error` of a response, as client libraries hand it on.",
    table(["Number", "Text", "When", "What to do"], stanRows(modules)),
    "## Answers to NATS clients",
    "Behind `-ERR`, from the embedded NATS server.",
    table(TEXT_HEAD, [
      ...textRows(modules.nats.ERROR_TEXT, TEXT_MODULES.nats, "ERROR_TEXT"),
      ...textRows(modules.denials.denialTexts, TEXT_MODULES.denials, "denialTexts"),
    ]),
    "## The server does not start",
    "The last line of the log; behind `Failed to start: ` unless the embedded NATS server says it. The line before it has the remedy. " +
      "Options and files that cannot be used are not in this table: they are refused with file, line, column and a remedy of their own.",
    table(["Text", "What to do"], startRows(modules)),
    "## Between partition servers",
    table(TEXT_HEAD, textRows(modules.partition.partitionTexts, TEXT_MODULES.partition, "partitionTexts")),
    "## In a fault tolerance group",
    table(
      TEXT_HEAD,
      textRows(modules.faultTolerance.faultToleranceTexts, TEXT_MODULES.faultTolerance, "faultToleranceTexts", FINE),
    ),
    "## Errors of the packages",
    "For programs that use the packages: match `error.code`; texts are for people.",
    table(["Error", "Code", "When", "What to do"], codeRows()),
  ].join("\n\n");
}

const TEXT_HEAD = ["Text", "When", "What to do"];

/** Lines of a fault tolerance group that tell of nothing wrong. */
const FINE = ["startingStandby", "active"];

function stanRows({ stan, engine }) {
  const source = read(TEXT_MODULES.stan);
  const own = read(TEXT_MODULES.engine);
  const rows = membersOf(source, "stanErrors").map(({ name, meaning, remedy }) => {
    const { number, text } = stan.stanErrors[name];
    return { number, text, meaning, remedy };
  });
  rows.push({
    ...functionOf(source, "channelCaseConflict"),
    ...stan.channelCaseConflict("FOO", "foo"),
  });
  rows.push({ ...functionOf(source, "storeFailure"), ...stan.storeFailure("") });
  const catalogue = rows
    .toSorted((a, b) => a.number - b.number)
    .map((row) => [String(row.number), code(row.text), ...said(row)]);
  const ours = ["channelWithoutOwner", "channelNoLongerServed"].map((name) => {
    const row = functionOf(own, name);
    return ["", code(engine[name]("foo")), ...said(row)];
  });
  return [...catalogue, ...ours];
}

function startRows({ remedies, bus, stan }) {
  const clustered = membersOf(read(TEXT_MODULES.stan), "startErrors").find(
    ({ name }) => name === "clusteredPartitioning",
  );
  const own = remedies.startRemedies.map(({ line, remedy }) => [
    code(line),
    typeof remedy === "string" ? remedy : remedy(""),
  ]);
  const others = [[code(stan.startErrors.clusteredPartitioning), clustered.remedy.replace(/\.$/, "")]];
  return [...own, ...others, ...bus.busMeanings().map(({ reason, remedy }) => [code(reason), capital(remedy)])].map(
    ([line, remedy]) => [line, `${remedy}.`],
  );
}

/** A row for each member of a table of texts, and of functions that make them. */
function textRows(texts, path, name, leftOut = []) {
  return membersOf(read(path), name)
    .filter((row) => !leftOut.includes(row.name))
    .map((row) => {
      const text = texts[row.name];
      const shown = typeof text === "string" ? text : text(...row.parameters.map(placeholder));
      return [code(shown), ...said(row)];
    });
}

/** What stands for an argument: a number where one is counted, else its name. */
function placeholder(parameter) {
  return parameter.endsWith("Millis") ? 1000 : `<${parameter}>`;
}

function codeRows() {
  return sources().flatMap((path) => {
    const source = read(path);
    return codeTypesOf(source).flatMap((type) =>
      codesOf(source, type).map((row, index) => [
        index === 0 ? code(type.replace(/Code$/, "")) : "",
        code(row.name),
        ...said({ ...row, remedy: row.remedy || "As the text says." }),
      ]),
    );
  });
}

/** Every source file of the published packages. */
function sources() {
  return publishable(root).flatMap(({ folder }) =>
    readdirSync(join(root, folder, "src"), { recursive: true })
      .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
      .map((name) => join(folder, "src", name))
      .toSorted(),
  );
}

function read(path) {
  return readFileSync(join(root, path), "utf8");
}

/** When it happens, and what to do. */
function said({ name, meaning, remedy }) {
  if (meaning === "" || remedy === "")
    throw new Error(`${name}: its comment must say when it happens, and what to do: "Remedy: …"`);
  return [linked(meaning), linked(remedy)];
}

/** `docs/operations-handbook.md#damaged-files` as a link with the words of its heading. */
function linked(text) {
  return text.replace(/docs\/([\w-]+)\.md#([\w-]+)/g, (_, page, heading) => {
    const target = page === "errors" ? "" : `${page}.md`;
    return `[${heading.replaceAll("-", " ")}](${target}#${heading})`;
  });
}

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** A text as code, whatever it holds. */
function code(text) {
  if (text === "") return "";
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}

function capital(text) {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
