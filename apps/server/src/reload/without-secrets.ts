/**
 * A line about a configuration file without what may be a secret: excerpts show the text of the file, and a fault may be in
 * the very line that holds a password.
 */
export function withoutSecrets(line: string): string {
  return line.replace(SECRET_KEY, "$1[REDACTED]").replace(LOGIN_IN_URL, "//[REDACTED]@");
}

/** A key that holds a secret, and everything behind it: where its value ends is not known in a line that is wrong. */
const SECRET_KEY = /(\b(?:pass(?:word)?|token|auth|encryption_key|source)\b["']?[ \t]*[:=]?[ \t]*)\S.*/i;
const LOGIN_IN_URL = /\/\/[^/@\s]*@/g;
