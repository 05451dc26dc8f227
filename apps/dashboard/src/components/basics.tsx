import type { ComponentChildren, JSX } from "preact";
import type { AnswerError } from "../api/fetch-json.ts";
import { count } from "../format.ts";

/** How something stands. */
export type Tone = "good" | "warn" | "bad" | "info" | "plain";

export function Chip({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }): JSX.Element {
  return <span class={`chip ${tone}`}>{children}</span>;
}

export interface TileProps {
  readonly label: string;
  readonly value: string;
  readonly note?: string;
  /** What the number is measured by, on a line of its own. */
  readonly of?: string;
}

/** A number that matters. */
export function Tile({ label, value, note, of }: TileProps): JSX.Element {
  return (
    <div class="tile">
      <dt>{label}</dt>
      <dd>
        {value}
        {note !== undefined && <small>{note}</small>}
        {of !== undefined && <small class="of">of {of}</small>}
      </dd>
    </div>
  );
}

export function Tiles({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <dl class="card tiles">{children}</dl>;
}

export interface SectionProps {
  readonly title: string;
  readonly note?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Section({ title, note, children }: SectionProps): JSX.Element {
  return (
    <section class="section">
      <header>
        <h2>{title}</h2>
        {note !== undefined && <div class="note">{note}</div>}
      </header>
      {children}
    </section>
  );
}

/** What stands where there is nothing. */
export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="empty">
      <p>{title}</p>
      {children !== undefined && <small>{children}</small>}
    </div>
  );
}

/** Why an answer is missing. */
export function Failure({ error }: { readonly error: AnswerError | undefined }): JSX.Element | null {
  if (error === undefined) return null;
  return (
    <p class="failure" role="alert">
      {error.message || `The server answers with status ${error.status}`}
    </p>
  );
}

/** Waiting for the first answer, without a flicker when it comes at once. */
export function Loading(): JSX.Element {
  return (
    <div class="loading" role="status">
      Loading
    </div>
  );
}

export interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly options: readonly (readonly [T, string])[];
  readonly value: T;
  readonly onChange: (value: T) => void;
}

/** A few words of which one is in force. Arrow keys move, as between radio buttons. */
export function Choice<T extends string>({ label, options, value, onChange }: ChoiceProps<T>): JSX.Element {
  return (
    <fieldset class="choice">
      <legend class="hidden">{label}</legend>
      {options.map(([option, text]) => (
        <label key={option} class={option === value ? "on" : ""}>
          <input type="radio" name={label} checked={option === value} onChange={() => onChange(option)} />
          {text}
        </label>
      ))}
    </fieldset>
  );
}

export interface PagerProps {
  readonly offset: number;
  readonly limit: number;
  readonly total: number;
  readonly onMove: (offset: number) => void;
}

export function Pager({ offset, limit, total, onMove }: PagerProps): JSX.Element | null {
  if (total <= limit && offset === 0) return null;
  const last = Math.min(total, offset + limit);
  return (
    <nav class="pager" aria-label="Pages">
      <span>
        {total === 0 ? 0 : count(offset + 1)}–{count(last)} of {count(total)}
      </span>
      <button type="button" disabled={offset === 0} onClick={() => onMove(Math.max(0, offset - limit))}>
        Previous
      </button>
      <button type="button" disabled={last >= total} onClick={() => onMove(offset + limit)}>
        Next
      </button>
    </nav>
  );
}
