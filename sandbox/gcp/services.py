"""Cloud APIs: which one a type needs, whether it is on, and who its service agent is."""

from sandbox.errors import google
from sandbox.gcp.naming import project_number
from sandbox.gcp.request import Request
from sandbox.gcp.rows import row, service, services
from sandbox.sdk_types import ResourceType
from sandbox.values import Values

SERVICE = "gcp:projects/service:Service"


def service_of(resource: ResourceType) -> str | None:
    """Return the API (`run.googleapis.com`) that makes this type; None if always on."""
    own = row(resource.token).service
    return service(resource.module).service if own == "" else own


def check_enabled(request: Request) -> None:
    """Raise the cloud's 403 when the API is off in the resource's project."""
    api, project = service_of(request.type), request.project
    if api is None or project not in request.world.projects():
        return
    if api not in request.world.enabled_apis(project):
        raise google(
            403,
            f"{api} API has not been used in project {project} before or it is disabled. "
            f"Enable it by visiting https://console.developers.google.com/apis/api/{api}/"
            f"overview?project={project} then retry",
            "accessNotConfigured",
        )


def agent_email(api: str, project: str) -> str:
    """Return the e-mail of an API's service agent in a project."""
    named = (each.agent for each in services().values() if each.service == api and each.agent)
    pattern = next(named, "")
    pattern = pattern or f"service-{{number}}@gcp-sa-{api.split('.')[0]}.iam.gserviceaccount.com"
    return pattern.format(number=project_number(project))


def api_behind(email: str, project: str) -> str:
    """Return the API whose enabling makes a Google-managed account of a project."""
    names = {"number": project_number(project), "project": project}
    for each in services().values():
        if email in (each.agent.format_map(names), each.account.format_map(names)):
            return str(each.service)
    short = email.partition("@gcp-sa-")[2].partition(".")[0].partition("-")[0]
    return f"{short}.googleapis.com"


def identity_outputs(request: Request) -> Values:
    """Return what `gcp.projects.ServiceIdentity` answers: the agent's e-mail and IAM member."""
    email = agent_email(str(request.inputs["service"]), request.project)
    return {"email": email, "member": f"serviceAccount:{email}"}


def after_enabling(request: Request) -> None:
    """Switch the API on."""
    request.world.enable_api(request.project, str(request.inputs["service"]))


def after_disabling(request: Request) -> None:
    """Switch the API off if the resource says so; by default it stays on."""
    if request.inputs.get("disableOnDestroy"):
        request.world.disable_api(request.project, str(request.inputs["service"]))
