/** A set of connected publishers and subscribers, ready to go. */
export interface Load {
  /** Publishes everything; settles when all of it was acknowledged and delivered. */
  run(): Promise<void>;
  /** Settles when the server has handled everything that was sent to it, acknowledgements included. */
  settle(): Promise<void>;
  published(): number;
  delivered(): number;
  close(): Promise<void>;
}
