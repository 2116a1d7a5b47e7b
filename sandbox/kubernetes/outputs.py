"""What the API server and the controllers add to an object."""

import base64

from sandbox.gcp.naming import hex_digits
from sandbox.gcp.outputs import now
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.objects import RELEASE, Kind, metadata_of
from sandbox.values import UNKNOWN, Values, as_map, is_map, merged
from sandbox.world import CloudResource

_DECIDED = ("uid", "resourceVersion", "creationTimestamp", "generation")


def outputs_of(
    cluster: Cluster, kind: Kind, id_: str, inputs: Values, old: CloudResource | None
) -> Values:
    """Return the live object after it was applied."""
    if kind.token == RELEASE:
        return _release(id_, inputs, old)
    before = metadata_of(old.outputs) if old else {}
    changed = old is None or old.inputs.get("spec") != inputs.get("spec")
    decided = {
        "uid": before.get("uid") or _uid(f"{cluster.id}/{kind.token}/{id_}"),
        "creationTimestamp": before.get("creationTimestamp") or now(),
        "resourceVersion": str(int(before.get("resourceVersion", "0")) + 1),
        "generation": int(before.get("generation", 0)) + (1 if changed else 0),
    }
    result: Values = {**inputs, "metadata": {**metadata_of(inputs), **decided}}
    for name, value in _server_side(cluster, kind, id_, inputs).items():
        result[name] = merged(result[name], value) if name in result else value
    return result


def previewed(inputs: Values, old: Values) -> Values:
    """Return an object before it was applied: what the server decides is unknown, unless it was
    known."""
    metadata = inputs.get("metadata", {})
    if is_map(metadata):
        before = metadata_of(old)
        decided = {name: before.get(name, UNKNOWN) for name in _DECIDED}
        metadata = {**metadata, **decided}
    result: Values = {**inputs, "metadata": metadata, "status": old.get("status", UNKNOWN)}
    if inputs.get("kind") == "Service":
        before = as_map(old.get("spec"))
        kept = {name: before.get(name, UNKNOWN) for name in ("clusterIP", "clusterIPs")}
        result["spec"] = {"type": "ClusterIP", **kept, **as_map(inputs.get("spec"))}
    return result


def previewed_release(inputs: Values, old: Values) -> Values:
    """Return a Helm release before it was installed."""
    return {**inputs, "status": old.get("status", UNKNOWN)}


def _server_side(cluster: Cluster, kind: Kind, id_: str, inputs: Values) -> Values:
    spec = as_map(inputs.get("spec"))
    match kind.name:
        case "Deployment" | "StatefulSet" | "ReplicaSet":
            count = spec.get("replicas", 1)
            ready = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas"), count)
            conditions = [{"type": "Available", "status": "True", "reason": "MinimumReplicas"}]
            return {
                "spec": {"replicas": 1},
                "status": {**ready, "observedGeneration": 1, "conditions": conditions},
            }
        case "Service":
            return {"spec": _service(cluster, id_, spec), "status": {"loadBalancer": {}}}
        case "Namespace":
            return {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
        case "Job":
            return {"status": {"succeeded": 1, "conditions": [_condition("Complete")]}}
        case "PersistentVolumeClaim":
            return {"status": {"phase": "Bound"}}
        case "Secret":
            return _secret(inputs)
        case "CustomResourceDefinition":
            return {"status": {"conditions": [_condition("Established")]}}
        case "InferencePool":
            return {"status": {"parents": []}}
        case _:
            return {}


def _condition(kind: str) -> Values:
    return {"type": kind, "status": "True", "reason": kind, "lastTransitionTime": now()}


def _service(cluster: Cluster, id_: str, spec: Values) -> Values:
    if spec.get("type") == "ExternalName":
        return {}
    seed = hex_digits(f"{cluster.id}/{id_}", 4)
    base = str(cluster.resource.outputs.get("servicesIpv4Cidr", "10.8.0.0/20")).split(".")
    address = f"{base[0]}.{base[1]}.{int(seed[:1], 16)}.{int(seed[2:], 16)}"
    address = spec.get("clusterIP") or address
    return {
        "type": "ClusterIP",
        "clusterIP": address,
        "clusterIPs": [address],
        "sessionAffinity": "None",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
    }


def _secret(inputs: Values) -> Values:
    texts = as_map(inputs.get("stringData"))
    encoded = {k: base64.b64encode(str(v).encode()).decode() for k, v in texts.items()}
    return {"type": "Opaque", "data": encoded}


def _release(id_: str, inputs: Values, old: CloudResource | None) -> Values:
    namespace, _, name = id_.rpartition("/")
    revision = int(old.outputs["status"]["revision"]) + 1 if old else 1
    return {
        **inputs,
        "status": {
            "name": name,
            "namespace": namespace,
            "revision": revision,
            "status": "deployed",
            "chart": str(inputs.get("chart", "")).rsplit("/", 1)[-1],
            "version": inputs.get("version", ""),
        },
        "resourceNames": {},
    }


def _uid(seed: str) -> str:
    text = hex_digits(seed, 32)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
