import { displayName, errorText, type Logger } from "@nats-streaming/kernel";
import { StoreError } from "@nats-streaming/store";
import { lockStore, type OpenedStore, openStore, type StoreOpening } from "./open-store.ts";

/**
 * Recovers the store as a start does, which puts what the commit log holds into the files, closes it, and says what it found.
 * Afterwards the directory is one that the original opens, whatever stopped the server that used it.
 * @returns why it could not be done, or is not whole; undefined when all is well
 */
export async function recoverOnly(opening: StoreOpening): Promise<string | undefined> {
  const { streaming, logger } = opening;
  if (streaming.storeType === "MEMORY")
    return "there is nothing to recover in a MEMORY store: name it with -store and -dir";
  let opened: OpenedStore;
  try {
    opened = openStore(opening);
  } catch (error) {
    return errorText(error);
  }
  try {
    const busy = await lockStore(opened.store, streaming);
    if (busy !== undefined) return busy;
    await recover(opened, logger);
  } catch (error) {
    return errorText(error);
  } finally {
    await opened.store.close();
  }
  const leftOut = opened.leftOut();
  if (leftOut.length === 0) return undefined;
  return `${leftOut.length} channel(s) cannot be recovered: ${leftOut.map(({ channel }) => displayName(channel)).join(", ")}`;
}

async function recover({ store }: OpenedStore, logger: Logger): Promise<void> {
  logger.info("Recovering the state...");
  try {
    const state = await store.recover();
    if (state === undefined) {
      logger.info("No recovered state");
      return;
    }
    const { messages, bytes } = store.totals();
    logger.info(`Recovered ${state.channels.size} channel(s)`);
    logger.info(`${messages} message(s), ${bytes} bytes`);
  } catch (error) {
    // The channels' files are as a start wants them; the server information is its to write.
    if (!(error instanceof StoreError) || error.code !== "no_server_info") throw error;
    logger.warn("Server information was not recovered, however channels are present: a start will initialize it");
  }
}
