// Reads what the code says of its errors: the comment above each member of a union of codes, of a table of texts, and above a
// function that makes a text.

/**
 * @typedef {{ name: string, parameters: string[], meaning: string, remedy: string }} Commented
 * `meaning` is empty without a comment, `remedy` where it has no `Remedy: …`.
 */

/**
 * The codes of a union that is written one a line, each below its comment.
 * @returns {Commented[]}
 */
export function codesOf(source, type) {
  const [, body] = new RegExp(`^export type ${type} =(.*?);\\n`, "ms").exec(source) ?? missing(type);
  return commented(body.matchAll(/(?:\/\*\*(?<comment>(?:(?!\*\/).)*)\*\/\s*)?\|? *"(?<name>\w+)"/gs), type);
}

/**
 * The members of a table, `export const <name> = { … } as const;`, each below its comment.
 * @returns {Commented[]}
 */
export function membersOf(source, table) {
  const [, body] = new RegExp(`^export const ${table} = \\{(.*?)^\\} as const`, "ms").exec(source) ?? missing(table);
  const member = /(?:^ {2}\/\*\*(?<comment>(?:(?!\*\/).)*)\*\/\n)?^ {2}(?<name>\w+):(?: \((?<parameters>.*?)\):)?/gms;
  return commented(body.matchAll(member), table);
}

/** @returns {Commented} of a function that is exported */
export function functionOf(source, name) {
  const start = source.indexOf(`export function ${name}(`);
  const comment = /\/\*\*((?:(?!\*\/).)*)\*\/\n$/s.exec(source.slice(0, Math.max(start, 0)))?.[1];
  return commentedOne(comment, name, "");
}

/** Names of the exported unions of codes. @returns {string[]} */
export function codeTypesOf(source) {
  return [...source.matchAll(/^export type (\w+ErrorCode) =/gm)].map(([, name]) => name);
}

function commented(matches, where) {
  const found = [...matches].map(({ groups }) => commentedOne(groups.comment, groups.name, groups.parameters));
  if (found.length === 0) throw new Error(`${where} has no members`);
  return found;
}

function commentedOne(comment, name, parameters) {
  const text = (comment ?? "")
    .replace(/^\s*\*/gm, " ")
    .replace(/\s+/g, " ")
    .trim();
  // Tags are for whoever calls.
  const [said = ""] = text.split(/ ?@(?=[a-z]+ )/);
  const [meaning, remedy = ""] = said.split(/ ?Remedy: /);
  const names = [...(parameters ?? "").matchAll(/(\w+): \w+/g)].map(([, parameter]) => parameter);
  return { name, parameters: names, meaning, remedy };
}

function missing(name) {
  throw new Error(`there is no "${name}" of this form`);
}
