import { createHash, timingSafeEqual } from "node:crypto";

/** What must be shown to see anything but `/healthz` and `/readyz`. */
export type Guard =
  /** As `Authorization: Bearer <token>`, or as the password of any user, which is what a browser can ask for. */
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "basic"; readonly user: string; readonly password: string };

/** How a browser is told to ask for a password. */
export const CHALLENGE = 'Basic realm="NATS Streaming", charset="UTF-8"';

/** Longest header that is looked at. */
const HEADER_LENGTH_MAX = 8_192;

/**
 * Checks the `Authorization` header of requests. How long that takes says nothing about how much of a secret was right:
 * digests are compared, which are of one length, all at once.
 */
export function createGuard(guard: Guard): (authorization: string | undefined) => boolean {
  const password = digest(guard.kind === "token" ? guard.token : guard.password);
  const user = guard.kind === "token" ? undefined : digest(guard.user);
  return (authorization) => {
    if (authorization === undefined || authorization.length > HEADER_LENGTH_MAX) return false;
    const [, scheme = "", rest = ""] = /^(\S+) +(\S+) *$/.exec(authorization) ?? [];
    switch (scheme.toLowerCase()) {
      case "bearer":
        return user === undefined && timingSafeEqual(digest(rest), password);
      case "basic": {
        const text = Buffer.from(rest, "base64").toString("utf8");
        const colon = text.indexOf(":");
        if (colon < 0) return false;
        const isUser = user === undefined || timingSafeEqual(digest(text.slice(0, colon)), user);
        const isPassword = timingSafeEqual(digest(text.slice(colon + 1)), password);
        return isUser && isPassword;
      }
      default:
        return false;
    }
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}
