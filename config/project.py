"""Where an environment lives: its Google Cloud project."""

from config.fields import Digits, ProjectId, Settings


class Project(Settings):
    """The Google Cloud project that holds everything of this environment."""

    id: ProjectId
    """Id of an existing project with billing enabled."""
    organization: Digits | None = None
    """Number of the organization above the project, in quotes. A perimeter needs it unless it
    names an existing access policy."""
