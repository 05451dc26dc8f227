import type { Random } from "@nats-streaming/kernel";
import type {
  ChannelLimits,
  ChannelStore,
  ClientInfo,
  LockOutcome,
  RecoveredChannel,
  RecoveredState,
  ServerInfo,
  Store,
  StoreKind,
  StoreLimits,
} from "@nats-streaming/store";
import { type CipherName, cipherName } from "./cipher-name.ts";
import { DecryptedMessages } from "./decrypted-messages.ts";
import { createEncryptedMessageLog } from "./encrypted-message-log.ts";
import { EncryptionError } from "./errors.ts";
import { channelKey, masterKey, overwriteKey } from "./keys.ts";
import { createPayloadCipher } from "./payload-cipher.ts";

/** How messages are encrypted at rest. */
export interface EncryptionOptions {
  /** As configured: `AES` or `CHACHA`, any letter case; empty for what suits the machine. Both are read, whichever it is. */
  readonly cipher: string;
  /** The passphrase's bytes, see {@link chooseKey}. They are overwritten. */
  readonly key: Uint8Array;
  /** The machine's own source. */
  readonly random: Random;
}

/**
 * Wraps a store so that the payloads of messages are encrypted before they get to it, and decrypted when they are looked up.
 * Everything else goes through as it is. The store must not be used by itself meanwhile.
 * @throws EncryptionError `cipher_not_supported`, `key_required`, in this order
 * @see encryption.md
 */
export function encryptStore(store: Store, options: EncryptionOptions): Store {
  const cipher = cipherName(options.cipher);
  if (options.key.length === 0) throw new EncryptionError("key_required");
  const master = masterKey(options.key);
  overwriteKey(options.key);
  return new EncryptedStore({ store, cipher, master, random: options.random });
}

interface EncryptedStoreOptions {
  readonly store: Store;
  readonly cipher: CipherName;
  readonly master: Uint8Array;
  readonly random: Random;
}

class EncryptedStore implements Store {
  readonly kind: StoreKind;
  readonly #store: Store;
  readonly #cipher: CipherName;
  readonly #master: Uint8Array;
  readonly #random: Random;
  readonly #decrypted = new DecryptedMessages();

  constructor({ store, cipher, master, random }: EncryptedStoreOptions) {
    this.kind = store.kind;
    this.#store = store;
    this.#cipher = cipher;
    this.#master = master;
    this.#random = random;
  }

  get limits(): StoreLimits {
    return this.#store.limits;
  }

  acquireLock(): Promise<LockOutcome> {
    return this.#store.acquireLock();
  }

  init(info: ServerInfo): Promise<void> {
    return this.#store.init(info);
  }

  async recover(): Promise<RecoveredState | undefined> {
    const state = await this.#store.recover();
    if (state === undefined) return undefined;
    const channels = new Map<string, RecoveredChannel>();
    for (const [name, channel] of state.channels) {
      channels.set(name, { ...this.#wrap(name, channel), subscriptionStates: channel.subscriptionStates });
    }
    return { ...state, channels };
  }

  setLimits(limits: StoreLimits): void {
    this.#store.setLimits(limits);
  }

  channelLimits(channel: string): ChannelLimits | undefined {
    return this.#store.channelLimits(channel);
  }

  createChannel(channel: string): ChannelStore {
    return this.#wrap(channel, this.#store.createChannel(channel));
  }

  deleteChannel(channel: string): Promise<void> {
    return this.#store.deleteChannel(channel);
  }

  addClient(client: ClientInfo): void {
    this.#store.addClient(client);
  }

  deleteClient(clientId: string): void {
    this.#store.deleteClient(clientId);
  }

  flush(): Promise<void> | undefined {
    return this.#store.flush();
  }

  totals(): { readonly messages: number; readonly bytes: number } {
    return this.#store.totals();
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #wrap(name: string, { messages, subscriptions }: ChannelStore): ChannelStore {
    const cipher = createPayloadCipher({
      cipher: this.#cipher,
      key: channelKey(this.#master, name),
      random: this.#random,
      lastSequence: messages.lastSequence,
    });
    const decrypted = this.#decrypted;
    return { messages: createEncryptedMessageLog({ log: messages, cipher, decrypted }), subscriptions };
  }
}
