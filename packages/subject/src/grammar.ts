import { DOT, FULL, STAR } from "./characters.ts";

/** What {@link checkSubject} and {@link checkChannel} may be told to look for beyond the plain rule. */
export interface GrammarOptions {
  /** Refuse what the plain rule lets through although it cannot be sent, or not be seen, unharmed. Default false. */
  readonly strict?: boolean;
}

/** What a channel name may be. */
export interface ChannelOptions extends GrammarOptions {
  /** Allow `*` and `>` as whole tokens, as limits and partitions do. Default false: a literal name. */
  readonly wildcards?: boolean;
}

/** `position` counts UTF-16 code units from 0; `reason` says what is wrong there and what to do about it. */
export type NameCheck =
  | { readonly kind: "valid" }
  | { readonly kind: "invalid"; readonly position: number; readonly reason: string };

/**
 * Whether `subject` is a NATS subject, wildcards allowed: tokens parted by `.`, none empty, `>` only as the last one, no
 * space, tab, CR, LF or form feed. A `*` or `>` inside a longer token is ordinary text.
 * `strict` also refuses NUL and what is left of broken UTF-8 (U+FFFD, lone surrogates).
 * @see subject-matching section 2
 */
export function isValidSubject(subject: string, options?: GrammarOptions): boolean {
  return findFault(subject, options?.strict === true ? SUBJECT_STRICT : SUBJECT) === NO_FAULT;
}

/**
 * Whether `subject` can be published to: no empty token, and no token that is `*` or `>`. White space is not looked for.
 * `strict` looks for it, and for NUL, U+FFFD and lone surrogates.
 * @see subject-matching section 2
 */
export function isValidLiteralSubject(subject: string, options?: GrammarOptions): boolean {
  return findFault(subject, options?.strict === true ? LITERAL_SUBJECT_STRICT : LITERAL_SUBJECT) === NO_FAULT;
}

/**
 * Whether `name` is a channel name, or with `wildcards` a pattern of channel names: no empty token, no `/`, no wildcard
 * character but as a whole token, `>` only last. White space passes, as it does in the original server, although NATS
 * cannot carry it; `strict` refuses Unicode white space, control characters, U+FFFD and lone surrogates.
 * @see subject-matching section 2, store-limits section 2
 */
export function isValidChannel(name: string, options?: ChannelOptions): boolean {
  return findFault(name, channelRules(options)) === NO_FAULT;
}

/** As {@link isValidSubject}, with the first fault and its remedy. */
export function checkSubject(subject: string, options?: GrammarOptions): NameCheck {
  return explain(subject, findFault(subject, options?.strict === true ? SUBJECT_STRICT : SUBJECT));
}

/** As {@link isValidLiteralSubject}, with the first fault and its remedy. */
export function checkLiteralSubject(subject: string, options?: GrammarOptions): NameCheck {
  return explain(subject, findFault(subject, options?.strict === true ? LITERAL_SUBJECT_STRICT : LITERAL_SUBJECT));
}

/** As {@link isValidChannel}, with the first fault and its remedy. */
export function checkChannel(name: string, options?: ChannelOptions): NameCheck {
  return explain(name, findFault(name, channelRules(options)));
}

/** As {@link checkSubject} by the rule of the subject tree, which takes any text as a token. */
export function checkPattern(pattern: string): NameCheck {
  return explain(pattern, findFault(pattern, PATTERN));
}

/** Whether the subject tree takes `pattern`: no empty token, and nothing after `>`. */
export function isValidPattern(pattern: string): boolean {
  return findFault(pattern, PATTERN) === NO_FAULT;
}

/**
 * Whether a channel name, valid with wildcards, has none: it contains neither `*` nor `>`.
 * @see subject-matching section 2
 */
export function isLiteralChannel(name: string): boolean {
  return !name.includes("*") && !name.includes(">");
}

/**
 * Whether no token of a NATS subject is `*` or `>`. `foo*.bar` is literal.
 * @see subject-matching section 2
 */
export function isLiteralSubject(subject: string): boolean {
  for (let i = 0; i < subject.length; i++) {
    const code = subject.charCodeAt(i);
    if (code !== STAR && code !== FULL) continue;
    if ((i === 0 || subject.charCodeAt(i - 1) === DOT) && endsToken(subject, i + 1)) return false;
  }
  return true;
}

// What a rule forbids, as bits.
const WILDCARD_TOKENS = 1;
const WILDCARDS_IN_TEXT = 2;
const SLASHES = 4;
/** Space, tab, CR, LF, form feed: what ends an argument of the NATS protocol. */
const PROTOCOL_SPACES = 8;
/** NUL, U+FFFD and lone surrogates. */
const BROKEN_TEXT = 16;
/** Unicode white space and control characters. */
const UNSEEN_TEXT = 32;

const PATTERN = 0;
const SUBJECT = PROTOCOL_SPACES;
const SUBJECT_STRICT = SUBJECT | BROKEN_TEXT;
const LITERAL_SUBJECT = WILDCARD_TOKENS;
const LITERAL_SUBJECT_STRICT = LITERAL_SUBJECT | PROTOCOL_SPACES | BROKEN_TEXT;

function channelRules(options: ChannelOptions | undefined): number {
  let rules = WILDCARDS_IN_TEXT | SLASHES;
  if (options?.wildcards !== true) rules |= WILDCARD_TOKENS;
  if (options?.strict === true) rules |= BROKEN_TEXT | UNSEEN_TEXT;
  return rules;
}

// A fault is one number, position * FAULTS + kind, so that a check allocates nothing.
const NO_FAULT = -1;
const FAULTS = 8;
const EMPTY = 0;
const EMPTY_TOKEN = 1;
const AFTER_FULL = 2;
const WILDCARD = 3;
const WILDCARD_IN_TEXT = 4;
const SLASH = 5;
const SPACE = 6;
const UNPRINTABLE = 7;

function findFault(text: string, rules: number): number {
  if (text.length === 0) return EMPTY;
  const textRules = rules & ~WILDCARD_TOKENS;
  let start = 0;
  let closed = false;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : DOT;
    if (code !== DOT) {
      if (textRules === 0) continue;
      const kind = faultOfCharacter(text, i, code, textRules);
      if (kind === WILDCARD_IN_TEXT && i === start && endsToken(text, i + 1)) continue;
      if (kind !== NO_FAULT) return i * FAULTS + kind;
      continue;
    }
    if (i === start) return i * FAULTS + EMPTY_TOKEN;
    if (closed) return start * FAULTS + AFTER_FULL;
    if (i === start + 1) {
      const only = text.charCodeAt(start);
      if (only === STAR || only === FULL) {
        if ((rules & WILDCARD_TOKENS) !== 0) return start * FAULTS + WILDCARD;
        closed = only === FULL;
      }
    }
    start = i + 1;
  }
  return NO_FAULT;
}

/** The fault of one character that is not a dot, or NO_FAULT. */
function faultOfCharacter(text: string, i: number, code: number, rules: number): number {
  // Most characters are past all that is looked for in ASCII.
  if (code > 0x3e && code < 0x7f) return NO_FAULT;
  if ((code === STAR || code === FULL) && (rules & WILDCARDS_IN_TEXT) !== 0) return WILDCARD_IN_TEXT;
  if (code === 0x2f && (rules & SLASHES) !== 0) return SLASH;
  if ((rules & PROTOCOL_SPACES) !== 0 && isProtocolSpace(code)) return SPACE;
  if ((rules & UNSEEN_TEXT) !== 0 && (code <= 0x20 || code >= 0x7f)) {
    if (WHITE_SPACE.test(text.charAt(i))) return SPACE;
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return UNPRINTABLE;
  }
  if ((rules & BROKEN_TEXT) !== 0 && (code === 0 || code === 0xfffd || isLoneSurrogate(text, i, code))) {
    return UNPRINTABLE;
  }
  return NO_FAULT;
}

const WHITE_SPACE = /\s/;

function isProtocolSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0c || code === 0x0d;
}

function isLoneSurrogate(text: string, i: number, code: number): boolean {
  if (code < 0xd800 || code > 0xdfff) return false;
  if (code < 0xdc00) {
    const next = text.charCodeAt(i + 1);
    return !(next >= 0xdc00 && next <= 0xdfff);
  }
  const previous = text.charCodeAt(i - 1);
  return !(previous >= 0xd800 && previous <= 0xdbff);
}

function endsToken(text: string, i: number): boolean {
  return i === text.length || text.charCodeAt(i) === DOT;
}

const VALID: NameCheck = { kind: "valid" };

function explain(text: string, fault: number): NameCheck {
  if (fault === NO_FAULT) return VALID;
  const position = Math.floor(fault / FAULTS);
  return { kind: "invalid", position, reason: reasonOf(fault % FAULTS, text, position) };
}

function reasonOf(kind: number, text: string, position: number): string {
  switch (kind) {
    case EMPTY:
      return "the name is empty: give it at least one token";
    case EMPTY_TOKEN:
      return `a token is empty at position ${position}: remove the extra "."`;
    case AFTER_FULL:
      return `a token follows ">" at position ${position}: ">" must be the last token`;
    case WILDCARD:
      return `the token at position ${position} is the wildcard "${text.charAt(position)}": a literal name is needed`;
    case WILDCARD_IN_TEXT:
      return `"${text.charAt(position)}" at position ${position} is part of a longer token: a wildcard must be a whole token`;
    case SLASH:
      return `"/" at position ${position} is not allowed in a channel name: part tokens by "."`;
    case SPACE:
      return `white space at position ${position}: remove it`;
    default:
      return `the character U+${text.charCodeAt(position).toString(16).toUpperCase().padStart(4, "0")} at position ${position} cannot be used: remove it`;
  }
}
