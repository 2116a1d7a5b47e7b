"""Where an environment lives: its Google Cloud project."""

from config.fields import Digits, ProjectId, Settings


class Project(Settings):
    """The Google Cloud project that holds everything of this environment."""

    id: ProjectId
    """Id of an existing project with billing enabled."""
    organization: Digits | None = None
    """Number of the organization above the project, in quotes. A perimeter needs it unless it
    names an existing access policy."""
    user_project_override: bool = True
    """Whether requests name the project that pays for them, without which user credentials get 403
    from Access Context Manager and Budgets. Turn it off for a deployer that lacks
    serviceusage.services.use on that project."""
    billing_project: ProjectId | None = None
    """Id of the project that pays for requests, where it isn't this one."""
