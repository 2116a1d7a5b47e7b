"""Cloud APIs: which one a type needs, whether it is on, and who its service agent is."""

from sandbox.errors import google
from sandbox.gcp.naming import project_number
from sandbox.gcp.request import Request
from sandbox.sdk_types import ResourceType
from sandbox.tables import table
from sandbox.values import Values

SERVICE = "gcp:projects/service:Service"


def service_of(resource: ResourceType) -> str | None:
    """The API (`run.googleapis.com`) that makes resources of this type; None if always on."""
    tables = table("apis")
    if resource.token in tables["types"]:
        return tables["types"][resource.token]
    return tables["modules"].get(resource.module)


def check_enabled(request: Request) -> None:
    """Raise the cloud's 403 when the API is off in the resource's project."""
    service, project = service_of(request.type), request.project
    if service is None or project not in request.world.projects():
        return
    if service not in request.world.enabled_apis(project):
        raise google(
            403,
            f"{service} API has not been used in project {project} before or it is disabled. "
            f"Enable it by visiting https://console.developers.google.com/apis/api/{service}/"
            f"overview?project={project} then retry",
            "accessNotConfigured",
        )


def agent_email(service: str, project: str) -> str:
    """The e-mail of an API's service agent in a project."""
    number = project_number(project)
    agents = table("service_agents")["agents"]
    short = service.split(".")[0]
    pattern = agents.get(service, f"service-{{number}}@gcp-sa-{short}.iam.gserviceaccount.com")
    return pattern.format(number=number)


def identity_outputs(request: Request) -> Values:
    """What `gcp.projects.ServiceIdentity` answers: the agent's e-mail and IAM member."""
    email = agent_email(str(request.inputs["service"]), request.project)
    return {"email": email, "member": f"serviceAccount:{email}"}


def after_enabling(request: Request) -> None:
    """Switch the API on."""
    request.world.enable_api(request.project, str(request.inputs["service"]))


def after_disabling(request: Request) -> None:
    """Switch the API off if the resource says so; by default it stays on."""
    if request.inputs.get("disableOnDestroy"):
        request.world.disable_api(request.project, str(request.inputs["service"]))
