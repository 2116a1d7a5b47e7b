"""Looks for what would stop an environment, before anything is made; each finding has its command.

Without Google Cloud it looks at this machine and the files. What can't be looked at is unknown,
which is neither fine nor wrong.
"""

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from catalog import strict_yaml
from catalog.config_folder import make_command
from catalog.table import read
from config.platform import Platform
from launcher import gcloud
from launcher.backend import check_stack_exists
from launcher.capacity import limits_in
from launcher.console import Console, show
from launcher.operations import run
from launcher.paths import ROOT, StackPaths, checked, engine_root
from launcher.problem import LaunchError
from launcher.report import own_resources
from launcher.verify import emptied
from plans.capacity import Need, by_metric, needs

_TABLE: Final = cast("Mapping[str, Any]", read("deployer.yaml"))
_ROLES: Final = ROOT / "identity" / "roles.yaml"
_BEFORE_ALL: Final = ("serviceusage.googleapis.com", "cloudresourcemanager.googleapis.com")
"""APIs that enabling others needs."""
_TOOLS: Final = {
    "gcloud": "install the Google Cloud CLI: https://cloud.google.com/sdk/docs/install",
    "pulumi": "install the Pulumi CLI: https://www.pulumi.com/docs/install/",
    "gke-gcloud-auth-plugin": "gcloud components install gke-gcloud-auth-plugin",
}
_HOST: Final = "pulumi-language-python"
OK, WRONG, UNKNOWN = "ok", "wrong", "unknown"


@dataclass(frozen=True)
class Finding:
    """What was looked at, what came of it, and the command that mends or looks further."""

    state: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        more = f"\n{'':9}{self.remedy}" if self.remedy and self.state != OK else ""
        return f"{self.state:<9}{self.what}{more}"


def doctor(places: StackPaths, cloud: str) -> None:
    """Print each finding. Raises LaunchError if anything is wrong."""
    found: list[Finding] = []
    for finding in _findings(places, cloud):
        show(str(finding))
        found.append(finding)
    counts = Counter(each.state for each in found)
    show(", ".join(f"{counts[state]} {state}" for state in (OK, WRONG, UNKNOWN)))
    if counts[WRONG]:
        raise LaunchError(f"{counts[WRONG]} wrong: do what is said below each")


def _findings(places: StackPaths, cloud: str) -> Iterator[Finding]:
    yield Finding(OK, f"Python {sys.version.split()[0]}")
    yield _attempt("the engine of the rehearsal", make_command("setup"), engine_root)
    yield _attempt(f"{places.config.name} is valid", "correct the file", lambda: checked(places))
    yield _attempt(
        f"the policies of {places.stack} are valid", "correct the file", places.policy_packs
    )
    if cloud == "gcp":
        yield from _on_google_cloud(places)


def _attempt(what: str, remedy: str, step: Callable[[], object]) -> Finding:
    try:
        step()
    except LaunchError as problem:
        return Finding(WRONG, f"{what}: {problem}", remedy)
    return Finding(OK, what)


def _on_google_cloud(places: StackPaths) -> Iterator[Finding]:
    for tool, remedy in _TOOLS.items():
        yield _tool(tool, remedy)
    if pulumi := shutil.which("pulumi"):
        yield _language_host(Path(pulumi))
        yield _attempt("the stack is in its state backend", "", lambda: check_stack_exists(places))
    yield _secrets(places)
    try:
        platform = checked(places)
    except LaunchError:
        return
    if shutil.which("gcloud"):
        yield from _by_gcloud(places, platform)


def _tool(tool: str, remedy: str) -> Finding:
    """Return whether a tool is there and runs, with the first line of what it says of itself."""
    if not shutil.which(tool):
        return Finding(WRONG, f"{tool} is not on PATH", remedy)
    word = "version" if tool == "pulumi" else "--version"
    done = subprocess.run([tool, word], capture_output=True, text=True, check=False)
    lines = (done.stdout or done.stderr).strip().splitlines()
    said = lines[0].removeprefix("Google Cloud SDK ") if lines else "of an unknown version"
    if done.returncode:
        return Finding(WRONG, f"{tool} doesn't run: {said}", remedy)
    return Finding(OK, f"{tool} {said}", remedy)


def _language_host(pulumi: Path) -> Finding:
    """Return whether Pulumi finds what runs Python programs, which is beside it or on PATH."""
    found = shutil.which(_HOST) or (pulumi.resolve().parent / _HOST).exists()
    remedy = f"{_TOOLS['pulumi']}, whose releases bring {_HOST}"
    return Finding(OK if found else WRONG, f"{_HOST}, which runs this program", remedy)


def _secrets(places: StackPaths) -> Finding:
    text = places.config.read_text(encoding="utf-8")
    if "\nsecretsprovider:" in text:
        return Finding(OK, "secrets of the state are encrypted by a key service")
    init = make_command(f"init STACK={places.stack} SECRETS=gcpkms://<key>")
    remedy = f"{init}, or keep the passphrase safe"
    return Finding(UNKNOWN, "secrets of the state have no key of Cloud KMS", remedy)


def _by_gcloud(places: StackPaths, platform: Platform) -> Iterator[Finding]:
    project = platform.project.id
    login = gcloud.printed("auth", "application-default", "print-access-token")
    yield Finding(
        WRONG if login is None else OK,
        "application default credentials",
        "gcloud auth application-default login",
    )
    described = gcloud.one("projects", "describe", project)
    if described is None:
        yield Finding(
            WRONG,
            f"project {project} can't be read: it isn't there, or not for this login",
            f"gcloud auth login, or gcloud projects create {project}",
        )
        return
    yield Finding(
        OK if described.get("lifecycleState") == "ACTIVE" else WRONG,
        f"project {project} is {str(described.get('lifecycleState')).lower()}",
        f"gcloud projects undelete {project}",
    )
    yield _billing(project)
    yield from _apis(project)
    yield from _roles(platform)
    yield from _quotas(places, project)
    yield from _organization_policies(project)


def _billing(project: str) -> Finding:
    found = gcloud.one("billing", "projects", "describe", project)
    remedy = f"gcloud billing projects link {project} --billing-account=<account>"
    if found is None:
        return Finding(UNKNOWN, "billing can't be read", remedy)
    return Finding(OK if found.get("billingEnabled") else WRONG, "billing", remedy)


def _apis(project: str) -> Iterator[Finding]:
    found = gcloud.several("services", "list", "--enabled", f"--project={project}")
    if found is None:
        yield Finding(UNKNOWN, "enabled APIs can't be read", f"gcloud services list {project}")
        return
    enabled = {str(each["config"]["name"]) for each in found}
    for api in _BEFORE_ALL:
        remedy = f"gcloud services enable {api} --project={project}"
        yield Finding(OK if api in enabled else WRONG, f"{api}, which enables the others", remedy)


def _roles(platform: Platform) -> Iterator[Finding]:
    account = (gcloud.printed("config", "get-value", "account") or "").strip()
    yield from _granted(account, "projects", platform.project.id, roles_for(platform.apis))
    above = [role for api, role in _TABLE["of_organization"].items() if api in platform.apis]
    if platform.project.organization and above:
        yield from _granted(account, "organizations", platform.project.organization, above)


def roles_for(apis: Iterable[str]) -> Sequence[str]:
    """Return the roles on a project that make what the platform has of these APIs."""
    document = cast("dict[str, Any]", strict_yaml.load(_ROLES.read_text(encoding="utf-8")))
    known = {each.removesuffix(".googleapis.com") for each in apis}
    own = [
        role for role in document["lent"] if role.removeprefix("roles/").partition(".")[0] in known
    ]
    more = (each["lent"] for api, each in document["also"].items() if api in known)
    return [*own, *(role for roles in more for role in roles)]


def _granted(account: str, kind: str, name: str, wanted: Sequence[str]) -> Iterator[Finding]:
    """Yield the roles that an account has not, where it has any of its own: groups aren't read."""
    policy = gcloud.one(kind, "get-iam-policy", name)
    bindings: list[dict[str, Any]] = [] if policy is None else policy.get("bindings", [])
    held = {
        str(each["role"])
        for each in bindings
        if any(str(member).partition(":")[2] == account for member in each.get("members", []))
    }
    where = f"{kind.rstrip('s')} {name}"
    if held & set(_TABLE["whole"]):
        yield Finding(OK, f"{account} owns {where}")
        return
    for role in wanted:
        if role in held:
            yield Finding(OK, f"{role} on {where}")
            continue
        remedy = (
            f"gcloud {kind} add-iam-policy-binding {name} --member=user:{account} --role={role}"
        )
        state = WRONG if held else UNKNOWN
        yield Finding(state, f"{account or 'nobody'} has no {role} of its own on {where}", remedy)


def _quotas(places: StackPaths, project: str) -> Iterator[Finding]:
    """Yield what the regions allow of each metric that the stack counts against."""
    remedy = f"ask for quota: https://console.cloud.google.com/iam-admin/quotas?project={project}"
    found = gcloud.several("compute", "regions", "list", f"--project={project}")
    if found is None:
        yield Finding(UNKNOWN, "quotas can't be read", remedy)
        return
    try:
        limits, wanted = limits_in(found), needed(places)
    except LaunchError as problem:
        yield Finding(UNKNOWN, f"what quota is needed: {problem}", "make that right first")
        return
    for each in wanted:
        limit = limits.get((each.region, each.metric))
        shown = "an unknown number" if limit is None else f"{limit:,.0f}"
        most = each.least if each.most is None else each.most
        yield Finding(
            UNKNOWN if limit is None else OK if limit >= most else WRONG,
            f"{each.metric} in {each.region}: {each.least:,.0f} needed, {most:,.0f} with "
            f"everything scaled out, {shown} allowed",
            remedy,
        )


def needed(places: StackPaths) -> list[Need]:
    """Return the quota that the whole stack needs, by a preview on the sandbox cloud.

    Raises LaunchError if that fails.
    """
    screen = Console().muted()
    with emptied(places) as empty, run(empty, "preview", screen=screen) as (progress, _):
        return by_metric(needs(own_resources(progress)))


def _organization_policies(project: str) -> Iterator[Finding]:
    found = gcloud.several("org-policies", "list", f"--project={project}")
    if found is None:
        yield Finding(
            UNKNOWN,
            "organization policies can't be read",
            f"gcloud org-policies list --project={project}",
        )
        return
    names = {str(each.get("constraint", "")).removeprefix("constraints/") for each in found}
    for name, allowed in _TABLE["organization_policies"].items():
        if name in names:
            yield Finding(
                UNKNOWN,
                f"{name} is set: it has to allow {allowed}",
                f"gcloud org-policies describe {name} --project={project} --effective",
            )
