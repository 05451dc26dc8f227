export { type CipherName, cipherName } from "./cipher-name.ts";
export { type EncryptionOptions, encryptStore } from "./encrypt-store.ts";
export { EncryptionError, type EncryptionErrorCode } from "./errors.ts";
export { chooseKey, ENCRYPTION_KEY_VARIABLE } from "./keys.ts";
