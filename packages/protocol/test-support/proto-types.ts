import { readFileSync } from "node:fs";
import protobuf from "protobufjs";

/*
 * The `.proto` files through protobufjs: the yardstick of the codecs. Text fields are declared as bytes here, since
 * protobufjs would not give back what is not UTF-8; on the wire the two are the same.
 */
const roots = ["stan", "spb"].map((name) => {
  const source = readFileSync(new URL(`../proto/${name}.proto`, import.meta.url), "utf8");
  return protobuf.parse(source.replaceAll(/\bstring\b/g, "bytes"), { keepCase: true }).root;
});

/** @param name with its package, such as `pb.PubMsg` */
export function protoType(name: string): protobuf.Type {
  const root = roots.find((candidate) => candidate.lookup(name) !== null);
  if (root === undefined) throw new Error(`no message ${name} in the .proto files`);
  return root.lookupType(name);
}

/** All messages of the `.proto` files, such as `pb.PubMsg`. */
export function protoMessageNames(): string[] {
  const names: string[] = [];
  const visit = (space: protobuf.NamespaceBase): void => {
    for (const nested of space.nestedArray) {
      if (nested instanceof protobuf.Type) names.push(nested.fullName.slice(1));
      else if (nested instanceof protobuf.Namespace) visit(nested);
    }
  };
  for (const root of roots) visit(root);
  return names;
}

/** The property of our value that stands for a field of a `.proto` file: `clientID` is `clientId`, `CRC32` is `crc32`. */
export function propertyName(field: string): string {
  const name = field.replace("CRC", "Crc").replace("ID", "Id");
  return name.charAt(0).toLowerCase() + name.slice(1);
}
