// The matcher alone: which of many patterns does a subject meet, and do two lists of patterns get in each other's way?
//
//   node examples/matcher.mjs
import { createSubjectTree, findOverlap } from "@nats-streaming/subject";

// Who wants to know what.
const tree = createSubjectTree();
tree.insert("orders.>", "auditor");
tree.insert("orders.*.created", "warehouse");
tree.insert("orders.eu.*", "office in Europe");
for (const subject of ["orders.eu.created", "orders.us.cancelled", "billing.invoices"]) {
  console.log(`${subject}: ${tree.match(subject).join(", ") || "nobody"}`);
}

// Whether a list could be served beside another one, as partitions ask before they start.
const found = findOverlap(["billing.*", "orders.*.new"], ["orders.eu.>"]);
console.log(found === undefined ? "the lists are apart" : `${found.incoming} and ${found.own} overlap`);
