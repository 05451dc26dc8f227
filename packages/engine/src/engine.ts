import { type BusMessage, type BusSubscription, errorText, type Logger, nuidSource } from "@nats-streaming/kernel";
import { textToByteString } from "@nats-streaming/protocol";
import { type ClientSubjects, clientSubjects, pingSubject } from "@nats-streaming/protocol/stan";
import { type ClientInfo, type RecoveredState, type Store, StoreError } from "@nats-streaming/store";
import { type AckInboxes, createAckHandler } from "./acks.ts";
import { createAdoption } from "./adoption.ts";
import { type Agreement, createAgreement } from "./agreement.ts";
import { createChannels } from "./channels.ts";
import { closed } from "./client.ts";
import { createClientSource } from "./client-source.ts";
import { createClients } from "./clients.ts";
import { createClientCloser, createCloseHandler } from "./close-client.ts";
import { createCommitQueue } from "./commit.ts";
import { createConnectHandler } from "./connect.ts";
import { createDeadLetters } from "./dead-letters.ts";
import { createDelivery, type Delivery } from "./delivery.ts";
import { createEarlyRequests } from "./early-requests.ts";
import { createEnding } from "./ending.ts";
import { createHeartbeats } from "./heartbeat.ts";
import { createInactivity } from "./inactivity.ts";
import { createInspection, type Inspection } from "./inspection.ts";
import { DUPLICATE_CHECK_MILLIS, EARLY_REQUEST_MILLIS, type EngineOptions, PROBE_TIMEOUT_MILLIS } from "./options.ts";
import type { ClientPeers } from "./peers.ts";
import { createPingHandler } from "./ping.ts";
import { probeForAnotherServer } from "./probe.ts";
import { createPublishHandler } from "./publish.ts";
import { createRecentClients } from "./recent-clients.ts";
import { rebuild } from "./recovery.ts";
import { createRedelivery, type Redelivery } from "./redelivery.ts";
import { createEntryListeners, createFormerSubscriptions, createRescoping, warnOfChannelsOutside } from "./rescope.ts";
import { createResponder } from "./responder.ts";
import { createSender } from "./sender.ts";
import { createStamper } from "./stamper.ts";
import { createStartGate } from "./start-gate.ts";
import { createStarter } from "./starter.ts";
import { newStatistics } from "./statistics.ts";
import { createSubscribeHandler } from "./subscribe.ts";
import { begin, end as endSubscription, type Subscription } from "./subscription.ts";
import { createSubscriptionMaker } from "./subscription-maker.ts";
import { createUnownedHandlers, unownedQueue } from "./unowned.ts";
import { createUnsubscribeHandler } from "./unsubscribe.ts";

/** A streaming engine that is serving. */
export interface Engine {
  readonly clusterId: string;
  readonly inspection: Inspection;
  /**
   * The {@link EngineOptions.scope} shows another list: channels that are new in it are served from now on; those that are no
   * longer in it are not, and their subscriptions end. Settles when the NATS server knows which channels those are, so that
   * nothing published from then on is missed; when the connection is down, at once, with a warning. Never rejects.
   */
  rescope(): Promise<void>;
  /**
   * Stops taking requests, finishes the batch under way, and closes the store. The bus stays open. Idempotent.
   * @see operations.md 5
   */
  close(): Promise<void>;
}

/** How a start ended. */
export type EngineStart =
  | { readonly kind: "started"; readonly engine: Engine }
  /** It must not serve; the store is closed. `message` is for the log. */
  | { readonly kind: "refused"; readonly message: string };

/** Recovers the state and serves clients on the bus. Throws what the store throws when it cannot be read. */
export async function startEngine(options: EngineOptions): Promise<EngineStart> {
  const { store, bus, logger } = options;
  const refuse = async (message: string): Promise<EngineStart> => {
    await store.close();
    return { kind: "refused", message };
  };

  const state = await recover(store, options);
  const recorded = state?.serverInfo;
  if (recorded !== undefined && recorded.clusterId !== textToByteString(options.clusterId)) {
    return refuse(`cluster ID "${options.clusterId}" does not match recovered value of "${recorded.clusterId}"`);
  }
  const configured = subjectsOf(options);
  const subjects = recorded === undefined ? configured : { ...recorded, pings: pingSubject(recorded.discovery) };
  if (recorded !== undefined && recorded.discovery !== configured.discovery) {
    logger.warn(
      `Discover subject "${configured.discovery}" is not used: the store was made with "${recorded.discovery}"`,
    );
  }
  if (options.probe) {
    const newInbox = nuidSource(options.random);
    const probe = await probeForAnotherServer({
      bus,
      clusterId: options.clusterId,
      subjects,
      inbox: `_INBOX.${newInbox()}`,
      timeoutMillis: options.probeTimeoutMillis ?? PROBE_TIMEOUT_MILLIS,
    });
    if (probe.kind === "taken") return refuse(probe.message);
    logger.debug("Did not detect another server instance");
  }
  return { kind: "started", engine: await serve(options, subjects, state) };
}

/** What an earlier server left; undefined at the first start, which is recorded then. */
async function recover(store: Store, options: EngineOptions): Promise<RecoveredState | undefined> {
  const { logger } = options;
  const init = (): Promise<void> =>
    store.init({ ...subjectsOf(options), clusterId: textToByteString(options.clusterId) });
  logger.info("Recovering the state...");
  let state: RecoveredState | undefined;
  try {
    state = await store.recover();
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== "no_server_info") throw error;
    logger.warn(
      "Server information was not recovered, however channels are present. Will initialize server and restart recovery!",
    );
    await init();
    state = await store.recover();
  }
  if (state === undefined) {
    logger.info("No recovered state");
    await init();
  } else {
    logger.info(`Recovered ${state.channels.size} channel(s)`);
  }
  return state;
}

function subjectsOf(options: EngineOptions): ClientSubjects {
  return clientSubjects({
    clusterId: textToByteString(options.clusterId),
    ...(options.discoverPrefix === undefined ? {} : { discoverPrefix: options.discoverPrefix }),
  });
}

/** Puts the parts together, listens, and lets what was recovered go on. */
async function serve(
  options: EngineOptions,
  subjects: ClientSubjects,
  state: RecoveredState | undefined,
): Promise<Engine> {
  const { bus, store, clock, random, logger, scope } = options;
  const newNuid = nuidSource(random);
  const statistics = newStatistics();
  const clients = createClients();
  const inboxes: AckInboxes = new Map();
  let isStopped = false;
  const respond = createResponder(bus);

  const sender = createSender({
    bus,
    clock,
    logger,
    statistics,
    onTimer: (subscription) => redelivery.onTimer(subscription),
  });
  const delivery = createDelivery({ clock, logger, sender });
  const deadLetters = createDeadLetters({
    clock,
    logger,
    channels: () => channels,
    commit: () => commit,
    stampFor: (channel) => stampFor(channel),
    acknowledgeFor: (subscription, sequence) => redelivery.acknowledgeFor(subscription, sequence),
  });
  const redelivery: Redelivery = createRedelivery({
    clock,
    logger,
    sender,
    delivery,
    deadLetters,
    honourMaxInFlightOnResume: options.honourMaxInFlightOnResume ?? false,
  });
  const starter = createStarter(delivery, redelivery);

  const commit = createCommitQueue({
    store,
    bus,
    clock,
    logger,
    statistics,
    batchSize: Math.max(1, options.batchSize),
    sleepMillis: options.batchSleepMillis,
    deliver: (channel) => {
      if (channel.isWatched) channel.lastActivity = clock.monotonicMillis();
      if (channel.hasBeenSubscribed) delivery.toChannel(channel);
    },
    onFatal: options.onFatal,
  });
  const stampFor = createStamper({ clock, commit });
  const inactivity = createInactivity({ store, clock, logger, commit, channels: () => channels });
  const channels = createChannels({
    store,
    clock,
    logger,
    scope,
    redeliveryRule: options.redeliveryRule ?? ((): undefined => undefined),
    onCreated: (channel) => inactivity.watch(channel),
  });
  const early =
    scope === undefined
      ? undefined
      : createEarlyRequests({
          clock,
          random,
          waitMillis: options.earlyRequestMillis ?? EARLY_REQUEST_MILLIS,
          onUnknown: (clientId, connId) => agreement?.learn(clientId, connId),
        });

  const end = createEnding({ clock, logger, sender, inactivity, inboxes });
  const peers = scope === undefined ? undefined : options.peers;
  const recent = createRecentClients(clock);
  const closeClient = createClientCloser({
    logger,
    store,
    clients,
    end,
    recent: peers === undefined ? undefined : recent,
  });
  const heartbeats = createHeartbeats({
    bus,
    clock,
    logger,
    intervalMillis: options.heartbeatIntervalMillis,
    timeoutMillis: options.heartbeatTimeoutMillis,
    failCount: options.heartbeatFailCount,
    onLost: (client) => {
      closeClient(client);
      // Nobody waits for it, but the record of it should not either.
      commit.whenDurable(ignore, ignore);
    },
  });

  const adoption = createAdoption({
    store,
    logger,
    random,
    clients,
    commit,
    heartbeats,
    early,
    recent,
    closeClient,
    heartbeatIntervalMillis: options.heartbeatIntervalMillis,
    isStopped: () => isStopped,
  });
  const agreement: Agreement | undefined = peers === undefined ? undefined : createAgreement(peers, adoption);

  // Every ack inbox of this server is one prefix and a number: one NATS subscription serves all of them.
  const ackPrefix = `_INBOX.${newNuid()}`;
  let ackNumber = 0;
  const maker = createSubscriptionMaker({ inboxes, newAckInbox: () => `${ackPrefix}.${++ackNumber}` });

  const publishing = createPublishHandler({
    bus,
    logger,
    statistics,
    clients,
    channels,
    commit,
    scope,
    early,
    stampFor,
    subjectPrefix: subjects.publish,
  });
  const handleAck = createAckHandler({ logger, channels, delivery, redelivery, inboxes });
  const connecting = createConnectHandler({
    bus,
    clock,
    logger,
    store,
    clients,
    commit,
    heartbeats,
    early,
    subjects,
    respond,
    closeClient,
    duplicateCheckMillis: options.duplicateCheckMillis ?? DUPLICATE_CHECK_MILLIS,
    isStopped: () => isStopped,
    peers: agreement === undefined ? undefined : { agreement, recent, adopt: adoption.adopt },
  });
  const handleSubscribe = createSubscribeHandler({
    clock,
    logger,
    clients,
    channels,
    commit,
    early,
    end,
    inactivity,
    maker,
    respond,
    scope,
    starter,
    replaceDurable: options.replaceDurable,
  });
  const former = createFormerSubscriptions();
  const unsubscribeOptions = { logger, channels, inboxes, commit, end, respond, scope, former };

  const recovered = state === undefined ? [] : rebuild(state, { clock, logger, clients, channels, inboxes });

  if (scope !== undefined) warnOfChannelsOutside(channels, logger);
  for (const client of clients.all()) heartbeats.start(client);

  const listening: BusSubscription[] = [];
  const subscribe = (subject: string, handler: (message: BusMessage) => void, queue?: string): BusSubscription =>
    bus.subscribe(subject, handler, queue === undefined ? {} : { queue });
  const listen = (subject: string, handler: (message: BusMessage) => void, queue?: string): void => {
    listening.push(subscribe(subject, handler, queue));
  };

  // Who connects or closes while the others are asked whom they know is not missed, and is answered afterwards.
  const gate = createStartGate();
  const handleClose = createCloseHandler({
    logger,
    clients,
    commit,
    respond,
    closeClient,
    agreement,
    settled: connecting.settled,
  });
  const listenForClients = (): void => {
    listen(subjects.close, gate.guard(handleClose));
    listen(
      subjects.discovery,
      gate.guard((message) => connecting.handle(message)),
    );
  };
  const isNewcomer = peers?.isAlone === false;
  if (peers !== undefined) {
    peers.attach(createClientSource({ clients, channels, recent, pending: (id) => connecting.pending(id) }));
    if (isNewcomer) {
      listenForClients();
      await bus.flush();
      await collectFrom(peers, (info) => adoption.adoptAtStart(info), logger);
    }
  }

  listen(`${ackPrefix}.*`, handleAck);
  // Its client may have turned out to be replaced while this server was down.
  const waiting = recovered.filter(({ state: now }) => now === "starting");
  for (const subscription of waiting) listen(subscription.ackInbox, handleAck);
  const entries =
    scope === undefined
      ? undefined
      : createEntryListeners({ scope, subjectPrefix: subjects.publish, subscribe, handle: publishing.handle });
  if (entries === undefined) listen(`${subjects.publish}.>`, (message) => publishing.handle(message, 0));
  else entries.update();
  if (scope !== undefined && peers !== undefined && options.unowned === "error") {
    const unowned = createUnownedHandlers({
      logger,
      scope,
      respond,
      isOwned: (channel) => peers.isOwned(channel),
      subjectPrefix: subjects.publish,
    });
    listen(`${subjects.publish}.>`, unowned.publish, unownedQueue(subjects.publish));
    listen(subjects.subscribe, unowned.subscribe, unownedQueue(subjects.publish));
  }
  listen(subjects.pings, createPingHandler({ clients, heartbeats, respond, agreement, recent }));
  listen(subjects.subscribe, handleSubscribe);
  listen(subjects.unsubscribe, createUnsubscribeHandler(unsubscribeOptions, "unsubscribe"));
  listen(subjects.subClose, createUnsubscribeHandler(unsubscribeOptions, "close"));
  if (!isNewcomer) listenForClients();
  await bus.flush();
  gate.open();
  describeSubjects(options, subjects);

  void release(waiting, delivery, redelivery);

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    for (const subscription of listening) subscription.unsubscribe();
    entries?.close();
    early?.close();
    await commit.drain();
    // What still waits for an answer or for a read finds everybody gone: nothing may touch the store any more.
    isStopped = true;
    inactivity.close();
    for (const client of clients.all()) closed(client);
    for (const subscription of inboxes.values()) endSubscription(subscription);
    await store.close();
  };
  const followScope =
    scope === undefined ? undefined : createRescoping({ logger, scope, channels, commit, end, former });
  return {
    clusterId: options.clusterId,
    inspection: createInspection({ store, clock, clients, channels, statistics }),
    rescope: async () => {
      if (closing !== undefined) return;
      publishing.rescoped();
      entries?.update();
      followScope?.();
      await bus.flush().catch((error: unknown) => {
        logger.warn(`The changed channel list reaches the NATS server when it is connected again: ${errorText(error)}`);
      });
    },
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

const ignore = (): void => {};

/** Registers whom the other servers of a partitioned cluster know, so that no client notices that this one is new. */
async function collectFrom(peers: ClientPeers, adopt: (info: ClientInfo) => void, logger: Logger): Promise<void> {
  const { adopted, isComplete } = await peers.collectClients((clients) => {
    for (const info of clients) adopt(info);
  });
  if (adopted > 0) logger.info(`Took over ${adopted} client registration(s) from other partition servers`);
  if (!isComplete) {
    logger.warn(
      "Not every other partition server has told which clients it knows; the rest is asked for when it is needed",
    );
  }
}

/**
 * Lets recovered subscriptions have new messages: at once where nothing is pending, else after what is due has been
 * redelivered. Queue groups with pending messages wait until everybody had that.
 * @see delivery.md 11.2
 */
async function release(recovered: readonly Subscription[], delivery: Delivery, redelivery: Redelivery): Promise<void> {
  const start = (subscription: Subscription, ackInbox: string): void => {
    // It may have ended meanwhile, or been closed and resumed: then its response starts it.
    if (subscription.state !== "starting" || subscription.ackInbox !== ackInbox) return;
    begin(subscription);
    if (subscription.group === undefined) delivery.toSubscription(subscription);
    else delivery.toGroup(subscription.group);
  };
  const waiting: Subscription[] = [];
  for (const subscription of recovered) {
    if (subscription.pending.size > 0) waiting.push(subscription);
    else start(subscription, subscription.ackInbox);
  }
  for (const subscription of waiting) {
    const { ackInbox } = subscription;
    await redelivery.recovered(subscription);
    start(subscription, ackInbox);
  }
  for (const { group } of waiting) {
    if (!group?.onHold) continue;
    group.onHold = false;
    delivery.toGroup(group);
  }
}

function describeSubjects(options: EngineOptions, subjects: ClientSubjects): void {
  const { logger, scope } = options;
  logger.debug(`Discover subject:           ${subjects.discovery}`);
  if (scope === undefined) logger.debug(`Publish subject:            ${subjects.publish}.>`);
  else logger.debug(`Publish subjects root:      ${subjects.publish}`);
  logger.debug(`Subscribe subject:          ${subjects.subscribe}`);
  logger.debug(`Subscription Close subject: ${subjects.subClose}`);
  logger.debug(`Unsubscribe subject:        ${subjects.unsubscribe}`);
  logger.debug(`Close subject:              ${subjects.close}`);
}
