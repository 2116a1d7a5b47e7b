"""Binary Authorization: which images may run."""

from typing import Annotated

from catalog.limits import Entries
from catalog.limits import images as limits
from config.fields import Settings


class BinaryAuthorization(Settings):
    """The project's policy: in its clusters, and as its services, runs what has an attestation, and
    the catalog's images. Every cluster and every Cloud Run service of the stack asks it."""

    attestors: Annotated[tuple[Annotated[str, limits.ATTESTOR_USE], ...], Entries("an attestor")]
    """Attestors that must all have signed for an image: names in the project, or full names. The
    pipelines' own is scanned."""
    exempt: tuple[Annotated[str, limits.EXEMPT], ...] = ()
    """Images of others that run without, beside the catalog's. At the end, * is anything without a
    slash, ** anything."""

    def attestors_of(self, project: str) -> tuple[str, ...]:
        """Return the attestors' full names, those of `project` where only the name is given."""
        return tuple(
            each if "/" in each else f"projects/{project}/attestors/{each}"
            for each in self.attestors
        )
