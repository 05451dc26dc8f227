import { byteString } from "@nats-streaming/protocol";
import type { ClientInfo } from "@nats-streaming/store";
import type { Adoption } from "./adoption.ts";
import type { ClientKnowledge, ClientPeers, ClientQuestion } from "./peers.ts";

/** What the servers of a partitioned cluster settle among them, as far as clients are concerned. */
export interface Agreement {
  /** Whether there is nobody to settle anything with. */
  readonly isAlone: boolean;
  /** What the others know. */
  ask(question: ClientQuestion): Promise<readonly ClientKnowledge[]>;
  /**
   * Whether another server knows a connection that this one does not, which it then takes over. Questions about one
   * connection that come meanwhile get the same answer.
   */
  knowsConnection(connId: Uint8Array): Promise<boolean>;
  /** Whether another server knows a client ID, or has closed it a moment ago. */
  knowsClient(clientId: string): Promise<boolean>;
  /** A request of a client that is not known here has come: takes the client over if others know it. */
  learn(clientId: string, connId: string): void;
}

export function createAgreement(peers: ClientPeers, adoption: Adoption): Agreement {
  const underWay = new Map<string, Promise<boolean>>();
  const noConnection = new Uint8Array(0);

  const ask = async (question: ClientQuestion): Promise<readonly ClientKnowledge[]> => {
    const { answers } = await peers.lookup(question);
    return answers;
  };

  const knows = async (connId: Uint8Array): Promise<boolean> => {
    const answers = await ask({ clientId: "", connId });
    let found = false;
    for (const answer of answers) {
      const client = clientOf(answer);
      if (client === undefined || Buffer.compare(client.connId, connId) !== 0) continue;
      found = true;
      adoption.adopt(client);
    }
    return found;
  };

  return {
    get isAlone() {
      return peers.isAlone;
    },
    ask,
    knowsConnection(connId): Promise<boolean> {
      const key = byteString(connId);
      let question = underWay.get(key);
      if (question === undefined) {
        question = knows(connId).finally(() => underWay.delete(key));
        underWay.set(key, question);
      }
      return question;
    },
    async knowsClient(clientId): Promise<boolean> {
      const answers = await ask({ clientId, connId: noConnection });
      return answers.some(({ kind }) => kind === "known" || kind === "alive" || kind === "closed");
    },
    learn(clientId, connId): void {
      if (peers.isAlone) return;
      void ask({ clientId, connId: noConnection }).then((answers) => {
        for (const answer of answers) {
          const client = clientOf(answer);
          if (client?.id !== clientId) continue;
          if (connId === "" || byteString(client.connId) === connId) adoption.adopt(client);
        }
      });
    },
  };
}

/** The client that is registered at the one who answers. */
export function clientOf(answer: ClientKnowledge): ClientInfo | undefined {
  return answer.kind === "known" || answer.kind === "alive" ? answer.client : undefined;
}
