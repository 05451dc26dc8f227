/** Character codes the grammar speaks of. */
export const Char = {
  Nul: 0x00,
  Tab: 0x09,
  LineFeed: 0x0a,
  CarriageReturn: 0x0d,
  Space: 0x20,
  DoubleQuote: 0x22,
  Hash: 0x23,
  SingleQuote: 0x27,
  ParenOpen: 0x28,
  ParenClose: 0x29,
  Comma: 0x2c,
  Minus: 0x2d,
  Dot: 0x2e,
  Slash: 0x2f,
  Colon: 0x3a,
  Semicolon: 0x3b,
  Equals: 0x3d,
  BracketOpen: 0x5b,
  Backslash: 0x5c,
  BracketClose: 0x5d,
  BraceOpen: 0x7b,
  BraceClose: 0x7d,
} as const;

/** What {@link peek} answers past the last character. */
export const END = -1;

/** Space or tab: what may stand between the parts of one line. */
export function isBlank(char: number): boolean {
  return char === Char.Space || char === Char.Tab;
}

export function isNewLine(char: number): boolean {
  return char === Char.LineFeed || char === Char.CarriageReturn;
}

/** Any white space of Unicode; it ends a bare key. */
export function isSpace(char: number): boolean {
  if (char < 0x80) return char === Char.Space || (char >= 0x09 && char <= 0x0d);
  return (
    char === 0x85 ||
    char === 0xa0 ||
    char === 0x1680 ||
    (char >= 0x2000 && char <= 0x200a) ||
    char === 0x2028 ||
    char === 0x2029 ||
    char === 0x202f ||
    char === 0x205f ||
    char === 0x3000
  );
}

export function isDigit(char: number): boolean {
  return char >= 0x30 && char <= 0x39;
}

export function isKeySeparator(char: number): boolean {
  return char === Char.Colon || char === Char.Equals;
}

/** What ends a bare word. */
export function endsWord(char: number): boolean {
  return (
    char === END ||
    isNewLine(char) ||
    isBlank(char) ||
    char === Char.Comma ||
    char === Char.Semicolon ||
    char === Char.BracketClose ||
    char === Char.BraceClose
  );
}
