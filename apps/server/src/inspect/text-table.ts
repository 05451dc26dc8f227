/** A column of a table in a terminal. */
export interface TextColumn {
  readonly title: string;
  /** Numbers stand to the right. */
  readonly isNumber?: boolean;
  /** May be cut off where the table is too wide. */
  readonly isWide?: boolean;
  /** Goes first where even that does not help; columns without it stay. */
  readonly isExtra?: boolean;
}

/** Between two columns. */
const GAP = "  ";
/** What a column is cut down to at the least. */
const WIDTH_MIN = 12;

/**
 * A table with a line of titles; ends with a line break.
 * @param width of the terminal; undefined for as wide as it gets
 */
export function textTable(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): string {
  const shown = columns.map((column, index) => ({ column, index, size: sizeOf(column, rows, index) }));
  const total = (): number => shown.reduce((sum, { size }) => sum + size + GAP.length, -GAP.length);
  if (width !== undefined) {
    while (total() > width) {
      const widest = shown
        .filter(({ column, size }) => column.isWide && size > WIDTH_MIN)
        .sort((a, b) => b.size - a.size)[0];
      if (widest !== undefined) {
        widest.size = Math.max(WIDTH_MIN, widest.size - (total() - width));
        continue;
      }
      const extra = shown.findLastIndex(({ column }) => column.isExtra);
      if (extra < 0) break;
      shown.splice(extra, 1);
    }
  }
  const line = (cells: readonly string[]): string =>
    shown
      .map(({ column, index, size }) => {
        const cell = cut(cells[index] ?? "", size);
        return column.isNumber ? cell.padStart(size) : cell.padEnd(size);
      })
      .join(GAP)
      .trimEnd();
  return `${[line(columns.map(({ title }) => title)), ...rows.map(line)].join("\n")}\n`;
}

function sizeOf({ title }: TextColumn, rows: readonly (readonly string[])[], index: number): number {
  let size = title.length;
  for (const row of rows) size = Math.max(size, row[index]?.length ?? 0);
  return size;
}

/** Cuts a text off where it is too long, and says so. */
export function cut(text: string, size: number): string {
  return text.length <= size ? text : `${text.slice(0, Math.max(0, size - 1))}…`;
}
