import { BrokerError } from "./errors.ts";

/** An option that must be a whole number from `least` to `most`. @throws BrokerError `bad_option` */
export function whole(name: string, value: number, least: number, most: number = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new BrokerError("bad_option", `${name} is ${value}: it must be a whole number ${range}`);
}
