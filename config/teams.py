"""Teams: who has a namespace of their own on the platform, and how much of its GPUs."""

from typing import Annotated

from catalog.limits import inference as limits
from config.fields import Settings

TeamName = Annotated[str, limits.TEAM]


class Team(Settings):
    """A team, with a namespace in every cluster for the models that name it."""

    gpus: Annotated[int, limits.TEAM_DEVICES] = limits.TEAM_DEVICES.default
    """GPUs, or partitions of them, that its replicas may take in each region."""
    tpus: Annotated[int, limits.TEAM_DEVICES] = limits.TEAM_DEVICES.default
    """Chips of TPUs that its replicas may take in each region."""
    memory_gib: Annotated[int, limits.TEAM_MEMORY_GIB] | None = None
    """Memory that its pods may ask for in each region, in GiB. Default: what the nodes have."""
    pods: Annotated[int, limits.TEAM_PODS] = limits.TEAM_PODS.default
    """Pods that it may have in each region."""
    members: tuple[Annotated[str, limits.TEAM_MEMBER], ...] = ()
    """Who may see what is in the namespace, read its pods' logs and restart its pods. Groups need
    cluster.security_group."""
