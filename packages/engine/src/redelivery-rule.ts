/**
 * When redelivering a message ends. Nothing like it exists in the original, where a message that a consumer can never
 * handle comes again for ever.
 */
export interface RedeliveryRule {
  /** How often a message is redelivered at most; above 0. */
  readonly maxRedeliveries: number;
  /** The channel that takes it then. Text; not the channel itself. */
  readonly deadLetter: string;
}
