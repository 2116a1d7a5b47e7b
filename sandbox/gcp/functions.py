"""Functions (data sources): what is in the world, and the few the cloud answers by itself."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from catalog.conventions import WRITE_ONLY
from sandbox.errors import google, missing
from sandbox.gcp.effects.cluster import DEFAULT_VERSION
from sandbox.gcp.identifiers import make_id
from sandbox.gcp.naming import hex_digits, project_number
from sandbox.gcp.request import ProviderConfig, Request, effective
from sandbox.gcp.services import agent_email
from sandbox.sdk_shapes import ListOf, ObjectOf, Output, Property, Shape
from sandbox.sdk_types import FunctionType, function_type, resource_type
from sandbox.values import Values, as_list, as_map, is_list, is_map
from sandbox.world import World

_KEY: Final = "gcp:kms/cryptoKey:CryptoKey"
_SECRET_VERSION: Final = "gcp:secretmanager/secretVersion:SecretVersion"  # noqa: S105 a type
FOREIGN_SECRET: Final = "a secret value outside of the sandbox"  # noqa: S105 not one

Answer = Callable[[World, ProviderConfig, Values], Values]


def invoke(world: World, config: ProviderConfig, token: str, args: Values) -> Values:
    """Return the result of a function. Raises the cloud's 404 when what it looks up is not
    there."""
    function = function_type(token)
    if function is None or function.result is None:
        raise google(400, f"Unknown function '{token}'", "badRequest")
    special = _SPECIAL.get(token)
    if special is not None:
        return _complete(function, special(world, config, args), args)
    listed = _list(world, config, function, args)
    if listed is not None:
        return _complete(function, listed, args)
    return _complete(function, _lookup(world, config, function, args), args)


def _complete(function: FunctionType, found: Values, args: Values) -> Values:
    """Only what the result type has, every member of it present."""
    identity = found.get("id") or hex_digits(json.dumps(args, sort_keys=True, default=str), 12)
    known = {"id": identity, **args, **found}
    return {name: known[name] for name in function.outputs if known.get(name) is not None}


def _resource_token(function: FunctionType) -> str:
    package, middle, name = function.token.split(":")
    module, thing = middle.split("/")[0], name.removeprefix("get")
    return f"{package}:{module}/{thing[0].lower()}{thing[1:]}:{thing}"


def _lookup(world: World, config: ProviderConfig, function: FunctionType, args: Values) -> Values:
    token = _resource_token(function)
    resource = resource_type(token)
    if resource is None:
        return {}
    inputs = effective(resource, args, config)
    request = Request(world, resource, config, "", inputs)
    wanted = request.own_name(str(args["selfLink"])) if args.get("selfLink") else make_id(request)
    found = world.get(token, wanted)
    if found is None:
        raise missing(wanted)
    return {**_read(function.outputs.values(), found.outputs), "id": found.id}


def _read(wanted: Iterable[Output | Property], outputs: Values) -> Values:
    """Return a resource's outputs as its data source says them.

    What a resource has once is there a list, empty where it has none, and its name in the plural.
    """
    return {
        each.name: _value(each.shape, next(_named(outputs, each.name), None)) for each in wanted
    }


def _named(outputs: Values, name: str) -> Iterator[Any]:
    for each in (name, name[:-1], name.removesuffix("es"), f"{name.removesuffix('ies')}y"):
        if outputs.get(each) is not None:
            yield outputs[each]


def _value(shape: Shape, value: Any) -> Any:
    if isinstance(shape, ListOf) and (is_map(value) or isinstance(shape.item, ObjectOf)):
        listed = value if is_list(value) else [] if value is None else [value]
        return [_value(shape.item, each) for each in listed]
    if isinstance(shape, ObjectOf) and is_map(value):
        return _read(shape.properties.values(), value)
    return value


def _list(
    world: World, config: ProviderConfig, function: FunctionType, args: Values
) -> Values | None:
    """Return the answer of a plural function such as `getForwardingRules`, None for other
    functions."""
    token = _resource_token(function)
    if resource_type(token) is not None or not token.endswith("s"):
        return None
    package, middle, name = token.split(":")
    singular = "Address" if name == "Addresses" else name.removesuffix("s")
    of = f"{package}:{middle.split('/')[0]}/{singular[0].lower()}{singular[1:]}:{singular}"
    holders = [
        (output.name, output.shape.item)
        for output in function.outputs.values()
        if isinstance(output.shape, ListOf) and isinstance(output.shape.item, ObjectOf)
    ]
    if resource_type(of) is None or len(holders) != 1:
        return None
    field, item = holders[0]
    project = str(args.get("project") or config.project)
    region = args.get("region") or (config.region if "region" in function.outputs else None)
    rows = [
        _fitting(item, {"id": resource.id, **resource.outputs})
        for resource in world.by_type(of, project)
        if region is None or str(resource.outputs.get("region", "")).endswith(str(region))
    ]
    return {field: rows, "project": project, "region": region}


def _fitting(shape: ObjectOf, outputs: Values) -> Values:
    """Return the outputs a list's item has; what a resource has once, a list may have as a list."""
    return {
        name: [outputs[name]]
        if isinstance(prop.shape, ListOf) and not is_list(outputs[name])
        else outputs[name]
        for name, prop in ((prop.name, prop) for prop in shape.properties.values())
        if outputs.get(name) is not None
    }


def _project(world: World, config: ProviderConfig, args: Values) -> Values:
    project = str(args.get("projectId") or config.project)
    if project not in world.projects():
        raise missing(f"projects/{project}")
    return {
        "id": f"projects/{project}",
        "projectId": project,
        "name": project,
        "number": project_number(project),
        "labels": {},
    }


def _client_config(_: World, config: ProviderConfig, __: Values) -> Values:
    return {
        "project": config.project,
        "region": config.region,
        "zone": config.zone,
        "accessToken": "sandbox-access-token",
        "defaultLabels": config.default_labels,
    }


def _zones(_: World, config: ProviderConfig, args: Values) -> Values:
    region = str(args.get("region") or config.region)
    return {"names": [f"{region}-{zone}" for zone in "abc"], "region": region}


def _engine_versions(_: World, __: ProviderConfig, ___: Values) -> Values:
    channels = dict.fromkeys(("RAPID", "REGULAR", "STABLE", "EXTENDED"), DEFAULT_VERSION)
    return {
        "latestMasterVersion": DEFAULT_VERSION,
        "latestNodeVersion": DEFAULT_VERSION,
        "defaultClusterVersion": DEFAULT_VERSION,
        "validMasterVersions": [DEFAULT_VERSION],
        "validNodeVersions": [DEFAULT_VERSION],
        "releaseChannelDefaultVersion": channels,
        "releaseChannelLatestVersion": channels,
    }


def _storage_agent(_: World, config: ProviderConfig, args: Values) -> Values:
    email = agent_email("storage.googleapis.com", str(args.get("project") or config.project))
    return {"emailAddress": email, "member": f"serviceAccount:{email}"}


def _bigquery_agent(_: World, config: ProviderConfig, args: Values) -> Values:
    email = agent_email("bigquery.googleapis.com", str(args.get("project") or config.project))
    return {"email": email, "member": f"serviceAccount:{email}"}


def _compute_account(_: World, config: ProviderConfig, args: Values) -> Values:
    number = project_number(str(args.get("project") or config.project))
    email = f"{number}-compute@developer.gserviceaccount.com"
    return {"email": email, "member": f"serviceAccount:{email}"}


def _secret_version(world: World, config: ProviderConfig, args: Values) -> Values:
    """Return a version the world has, by default the latest; one of another project is assumed."""
    secret = str(args["secret"])
    project = str(args.get("project") or config.project)
    parent = secret if "/" in secret else f"projects/{project}/secrets/{secret}"
    wanted = str(args.get("version") or "latest")
    versions = [each for each in world.by_type(_SECRET_VERSION) if each.id.startswith(f"{parent}/")]
    if wanted != "latest":
        versions = [each for each in versions if each.id == f"{parent}/versions/{wanted}"]
    if versions:
        found = max(versions, key=lambda each: int(each.id.rpartition("/")[2]))
        value = found.inputs.get("secretData") or found.inputs.get(f"secretData{WRITE_ONLY}")
        return {**found.outputs, "id": found.id, "name": found.id, "secretData": value}
    name = f"{parent}/versions/{wanted}"
    if parent.split("/")[1] in world.projects():
        raise missing(name)
    world.assume(name, "a data source")
    return {"id": name, "name": name, "enabled": True, "secretData": FOREIGN_SECRET}


def _key_version(world: World, _: ProviderConfig, args: Values) -> Values:
    """Return the first version of a key that signs; its public key is made up."""
    key = world.get(_KEY, str(args["cryptoKey"]))
    if key is None:
        raise missing(str(args["cryptoKey"]))
    template = as_map(key.inputs.get("versionTemplate"))
    algorithm = template.get("algorithm", "GOOGLE_SYMMETRIC_ENCRYPTION")
    begin, end = (f"-----{word} PUBLIC KEY-----" for word in ("BEGIN", "END"))
    pem = "\n".join((begin, b64encode(hex_digits(key.id, 64).encode()).decode(), end))
    signs = key.inputs.get("purpose") == "ASYMMETRIC_SIGN"
    return {
        "name": f"{key.id}/cryptoKeyVersions/{args.get('version') or 1}",
        "algorithm": algorithm,
        "protectionLevel": template.get("protectionLevel", "SOFTWARE"),
        "publicKeys": [{"algorithm": algorithm, "pem": pem}] if signs else [],
        "state": "ENABLED",
    }


def _iam_policy(_: World, __: ProviderConfig, args: Values) -> Values:
    bindings = [
        {"role": binding["role"], "members": sorted(as_list(binding.get("members")))}
        for binding in as_list(args.get("bindings"))
    ]
    return {"policyData": json.dumps({"bindings": bindings})}


def _organization(_: World, __: ProviderConfig, args: Values) -> Values:
    number = str(args.get("organization") or hex_digits(str(args.get("domain")), 10))
    number = number.removeprefix("organizations/")
    return {"orgId": number, "name": f"organizations/{number}", "domain": args.get("domain", "")}


_SPECIAL: Final[Mapping[str, Answer]] = {
    "gcp:organizations/getProject:getProject": _project,
    "gcp:organizations/getClientConfig:getClientConfig": _client_config,
    "gcp:organizations/getIAMPolicy:getIAMPolicy": _iam_policy,
    "gcp:organizations/getOrganization:getOrganization": _organization,
    "gcp:compute/getZones:getZones": _zones,
    "gcp:bigquery/getDefaultServiceAccount:getDefaultServiceAccount": _bigquery_agent,
    "gcp:compute/getDefaultServiceAccount:getDefaultServiceAccount": _compute_account,
    "gcp:container/getEngineVersions:getEngineVersions": _engine_versions,
    "gcp:kms/getKMSCryptoKeyVersion:getKMSCryptoKeyVersion": _key_version,
    "gcp:secretmanager/getSecretVersion:getSecretVersion": _secret_version,
    "gcp:secretmanager/getSecretVersionAccess:getSecretVersionAccess": _secret_version,
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": _storage_agent,
}
