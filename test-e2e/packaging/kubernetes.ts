import { Deployment, StatefulSet } from "kubernetes-models/apps/v1";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1";
import { ConfigMap, Namespace, PersistentVolumeClaim, Service } from "kubernetes-models/v1";

/** The models of what the manifests may contain, with the schema of each. */
const MODELS = {
  ConfigMap: { model: ConfigMap, from: "v1" },
  Deployment: { model: Deployment, from: "apps/v1" },
  Namespace: { model: Namespace, from: "v1" },
  PersistentVolumeClaim: { model: PersistentVolumeClaim, from: "v1" },
  PodDisruptionBudget: { model: PodDisruptionBudget, from: "policy/v1" },
  Service: { model: Service, from: "v1" },
  StatefulSet: { model: StatefulSet, from: "apps/v1" },
} as const;

/** Holds an object of a manifest against its schema. Throws what the schema objects to. */
export function validateObject(object: Readonly<Record<string, unknown>>): void {
  const { model } = modelOf(object);
  Reflect.construct(model, [object]).validate();
}

/**
 * A source text that only compiles when the objects have no key that their types lack: the schemas let unknown keys pass, and a
 * cluster drops them without a word.
 */
export function asTypedSource(objects: readonly Readonly<Record<string, unknown>>[]): string {
  return objects
    .map((object, index) => {
      const { kind, from } = modelOf(object);
      const type = `import("kubernetes-models/${from}").I${kind}`;
      return `export const object${index}: ${type} = ${JSON.stringify(object, null, 2)};\n`;
    })
    .join("");
}

function modelOf(object: Readonly<Record<string, unknown>>): {
  readonly kind: string;
  readonly from: string;
  readonly model: new (data?: never) => { validate(): void };
} {
  const found = Object.entries(MODELS).find(
    ([kind, { from }]) => kind === object["kind"] && from === object["apiVersion"],
  );
  if (found === undefined) throw new Error(`no schema for ${String(object["apiVersion"])} ${String(object["kind"])}`);
  return { kind: found[0], ...found[1] };
}
