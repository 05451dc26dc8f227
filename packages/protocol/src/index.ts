export {
  byteString,
  byteStringBytes,
  byteStringToText,
  textToByteString,
  writeByteString,
} from "./wire/byte-string.ts";
export { copyBytes, copyOf } from "./wire/copy.ts";
export { type Decoded, WireFault, wireFaultText } from "./wire/fault.ts";
export type { Bits64 } from "./wire/read.ts";
