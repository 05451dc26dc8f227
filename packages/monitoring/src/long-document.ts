/** A JSON document with one part that may be very long. */
export interface LongDocument {
  /** Everything before the elements; told how many of them there are. */
  head(count: number): string;
  /** Their texts, in order; undefined for one that has gone since the page was cut. */
  readonly elements: Iterable<string | undefined>;
  /** How many elements there will be if none goes. */
  readonly expected: number;
  /** Everything after the elements; told how many there are. */
  tail(count: number): string;
}

/** Text that is put together in one turn, in characters: well below a millisecond of work. */
const SLICE_CHARACTERS = 65_536;

/**
 * Text that is gathered before the first piece goes out. Up to here a failure still becomes a proper status and the count
 * is exact; beyond, memory would grow with the list, so pieces go out as the reader takes them.
 */
const HELD_CHARACTERS_MAX = 4 * 1_024 * 1_024;

/**
 * Prints a long document in slices, with a turn of the event loop between them, so that a list of 100,000 channels stops
 * neither publishing nor delivery. Elements are read as their slice is printed.
 * @param pause settles in a later turn
 */
export async function* printLongDocument(
  document: LongDocument,
  pause: () => Promise<void>,
): AsyncGenerator<string, void, void> {
  const held: string[] = [];
  let heldCharacters = 0;
  let headSent = false;
  let count = 0;
  let slice: string[] = [];
  let sliceCharacters = 0;

  for (const element of document.elements) {
    if (element === undefined) continue;
    slice.push(count === 0 ? element : `,${element}`);
    sliceCharacters += element.length;
    count++;
    if (sliceCharacters < SLICE_CHARACTERS) continue;
    const piece = slice.join("");
    slice = [];
    sliceCharacters = 0;
    if (headSent) {
      yield piece;
    } else {
      held.push(piece);
      heldCharacters += piece.length;
      if (heldCharacters >= HELD_CHARACTERS_MAX) {
        headSent = true;
        yield document.head(document.expected) + held.join("");
        held.length = 0;
      }
    }
    await pause();
  }
  const rest = slice.join("") + document.tail(count);
  yield headSent ? rest : document.head(count) + held.join("") + rest;
}
