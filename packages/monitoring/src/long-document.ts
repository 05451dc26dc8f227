import { type Turns, unitsOfText } from "./turns.ts";

/** A JSON document with one part that may be very long. */
export interface LongDocument {
  /** Everything before the elements; told how many of them there are. */
  head(count: number): string;
  /** In order. A very long one comes in parts, so that no turn has to make all of it. */
  readonly elements: Iterable<LongElement>;
  /** How many elements there will be if none goes. */
  readonly expected: number;
  /** Everything after the elements; told how many there are. In parts when it is long itself. */
  tail(count: number): string | Iterable<string>;
}

/** The text of an element; undefined for one that has gone since the page was cut, and where nothing is to be printed yet. */
export type LongElement = string | undefined | ElementPart;

/** More of the element before. */
export interface ElementPart {
  readonly more: string;
}

/** Text that is put together and handed out at once, in characters. */
const PIECE_CHARACTERS = 32_768;

/**
 * Text that is gathered before the first piece goes out: a page of 1,024 channels with a subscription each takes 0.6 MB. Up to here
 * a failure still becomes a proper status and the count is exact; beyond, memory would grow with the list, and the collector
 * would have all of it to copy, so pieces go out as the reader takes them.
 */
const HELD_CHARACTERS_MAX = 1_024 * 1_024;

/**
 * Prints a long document in short turns, so that a list of 100,000 channels stops neither publishing nor delivery. Elements
 * are read as they are printed. A document that is over within one piece comes as one; of a longer one no piece is much longer
 * than {@link PIECE_CHARACTERS}: what is joined, encoded and written at once stays small.
 */
export async function* printLongDocument(document: LongDocument, turns: Turns): AsyncGenerator<string, void, void> {
  const held: string[] = [];
  let heldCharacters = 0;
  let isHeadSent = false;
  let count = 0;
  let parts: string[] = [];
  let characters = 0;

  /** Of the parts so far. */
  const piece = (): string => {
    const text = parts.join("");
    parts = [];
    characters = 0;
    return text;
  };

  for (const element of document.elements) {
    const text = typeof element === "object" ? element.more : (element ?? "");
    if (typeof element === "string") parts.push(count++ === 0 ? text : `,${text}`);
    else if (text !== "") parts.push(text);
    characters += text.length;
    const isOver = turns.isOver(unitsOfText(text));
    if (characters >= PIECE_CHARACTERS) {
      if (isHeadSent) yield piece();
      else {
        heldCharacters += characters;
        held.push(piece());
        if (heldCharacters >= HELD_CHARACTERS_MAX) {
          isHeadSent = true;
          yield* piecesInTurns([document.head(document.expected), ...held.splice(0)], turns);
        }
      }
    }
    if (isOver) await turns.next();
  }

  const tail = document.tail(count);
  if (typeof tail === "string" && held.length === 0 && !isHeadSent) {
    yield document.head(count) + piece() + tail;
    return;
  }
  const rest = piece() + (typeof tail === "string" ? tail : "");
  if (isHeadSent) yield rest;
  else yield* piecesInTurns([document.head(count), ...held.splice(0), rest], turns);
  if (typeof tail !== "string") yield* inPieces(tail, turns);
}

async function* piecesInTurns(pieces: readonly string[], turns: Turns): AsyncGenerator<string, void, void> {
  for (const piece of pieces) {
    yield piece;
    if (turns.isOver(unitsOfText(piece))) await turns.next();
  }
}

async function* inPieces(texts: Iterable<string>, turns: Turns): AsyncGenerator<string, void, void> {
  let piece = "";
  for (const text of texts) {
    piece += text;
    const isOver = turns.isOver(unitsOfText(text));
    if (piece.length >= PIECE_CHARACTERS) {
      yield piece;
      piece = "";
    }
    if (isOver) await turns.next();
  }
  if (piece !== "") yield piece;
}
