import { createHash, timingSafeEqual } from "node:crypto";
import { BrokerError } from "./errors.ts";

/** Whether `password` is the one that was hashed with bcrypt to `hash` (`$2a$…`). @see the npm package `bcryptjs`: `compare` */
export type BcryptCompare = (password: string, hash: string) => Promise<boolean>;

/** A secret that peers have to know; checking it tells nothing of how nearly right a guess was. */
export interface Secret {
  matches(given: string): boolean | Promise<boolean>;
}

/**
 * Most checks of bcrypt hashes that wait for their turn. Each takes a tenth of a second of computing: whoever comes after so
 * many could not be let in within any sensible time, and is refused.
 */
const WAITING_MAX = 256;

/** Makes secrets of passwords and tokens as configured. Bcrypt hashes are checked one at a time, beside other work. */
export class Secrets {
  readonly #compare: BcryptCompare | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(compare: BcryptCompare | undefined) {
    this.#compare = compare;
  }

  /**
   * @param name what it is called in errors.
   * @throws BrokerError `bad_option` for a bcrypt hash that cannot be checked: taken as plain text it would let in whoever has
   * read the configuration.
   */
  secret(name: string, value: string): Secret {
    if (BCRYPT.test(value)) {
      const compare = this.#compare;
      if (compare !== undefined) return { matches: (given) => this.#inTurn(() => compare(given, value)) };
      throw new BrokerError("bad_option", `${name} is a bcrypt hash, which is not supported: give the plain text`);
    }
    const expected = digest(value);
    return { matches: (given) => timingSafeEqual(digest(given), expected) };
  }

  async #inTurn(check: () => Promise<boolean>): Promise<boolean> {
    if (this.#waiting >= WAITING_MAX) return false;
    this.#waiting++;
    const result = this.#last.then(check).catch(() => false);
    this.#last = result;
    const isRight = await result;
    this.#waiting--;
    return isRight;
  }
}

const BCRYPT = /^\$2[abxy]?\$\d\d\$/;

function digest(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}
