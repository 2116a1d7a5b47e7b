"""Limits of names and ids that are the same all over Google Cloud and Kubernetes."""

import re
from typing import Final

from catalog.limits import Range, Text, label

RESOURCE_NAME: Final = label(63, "Compute Engine and Kubernetes allow no longer name")
"""https://cloud.google.com/compute/docs/naming-resources"""

KUBERNETES_NAME: Final = Text(
    "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?",
    "1 to 63 lowercase letters, digits or hyphens, a letter or digit first and last",
    "shorten or change it (a Kubernetes name is made of it)",
)
"""RFC 1123; also of Services and values of labels."""

PROJECT: Final = "(?![a-z0-9-]*(?:google|null|ssl|undefined))[a-z][a-z0-9-]{4,28}[a-z0-9]"
"""Pattern of a project's id, a part of other patterns; these words are Google's.

https://cloud.google.com/resource-manager/docs/creating-managing-projects
"""
PROJECT_ID: Final = Text(
    PROJECT,
    "a project id: 6 to 30 lowercase letters, digits or hyphens, a letter first, without"
    " google, null, ssl or undefined",
    "`gcloud projects list` shows the ids",
)

OWN_LABELS: Final = ("environment", "platform", "managed-by")
"""Labels that the platform gives to everything itself."""
LABEL_KEY: Final = Text(
    f"(?!goog|(?:{'|'.join(OWN_LABELS)})$)[a-z][a-z0-9_-]{{0,62}}",
    "1 to 63 lowercase letters, digits, underscores or hyphens, a letter first, not goog first,"
    f" none of {', '.join(OWN_LABELS)}",
)
"""https://cloud.google.com/resource-manager/docs/labels-overview#requirements"""
LABEL_VALUE: Final = Text(
    "[a-z0-9_-]{0,63}", "up to 63 lowercase letters, digits, underscores or hyphens"
)

_PART: Final = "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
KUBERNETES_LABEL_KEY: Final = Text(
    f"(?:[a-z0-9](?:[a-z0-9.-]{{0,251}}[a-z0-9])?/)?{_PART}",
    "a Kubernetes label key",
    "write it like team or acme.com/team",
)
KUBERNETES_LABEL_VALUE: Final = Text(
    f"(?:{_PART})?",
    "up to 63 letters, digits, hyphens, underscores or dots, a letter or digit first and last",
)

_DNS_LABEL: Final = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DNS_NAME: Final = rf"(?:{_DNS_LABEL}\.)+(?!\d+$){_DNS_LABEL}"
# Of Google's services, its metadata server, Kubernetes, and a machine itself; beside these, the
# names that Compute Engine gives its machines.
_OTHERS: Final = (
    *("googleapis.com", "google.com", "google.internal", "gcr.io", "pkg.dev", "run.app"),
    *("cloudfunctions.net", "appspot.com", "googleusercontent.com", "gstatic.com", "goog"),
    *("gke.io", "cluster.local", "svc", "local", "localhost", "localdomain", "arpa"),
    # No resolver asks for these, and models come from the last two: a zone would answer for them.
    *("invalid", "onion", "huggingface.co", "hf.co"),
)
_NOT_OTHERS: Final = (
    rf"(?!(?:.*\.)?(?:{'|'.join(map(re.escape, _OTHERS))}|c\.[a-z0-9-]{{6,30}}\.internal)$)"
)
HOSTNAME: Final = Text(
    rf"(?=.{{4,64}}$){_NOT_OTHERS}{_DNS_NAME}",
    "a lowercase DNS name of at least two labels and at most 64 characters, not one of Google's or"
    " Kubernetes' own",
    "write it like inference.acme.internal (a certificate's common name ends at 64)",
)
PUBLIC_NAME: Final = Text(
    rf"(?=.{{3,253}}$){_NOT_OTHERS}{_DNS_NAME}",
    "a lowercase DNS name of at least two labels and at most 253 characters, not one of Google's or"
    " Kubernetes' own",
    "write it like api.acme.com",
)
DNS_NAME: Final = Text(
    rf"(?=.{{3,253}}$){_DNS_NAME}",
    "a lowercase DNS name of at least two labels and at most 253 characters",
    "write it like inference.acme.internal",
)

PORT: Final = Range(1, 65535)

ANYONE: Final = r"principal(?:Set)?://(?:iam|cloudresourcemanager)\.googleapis\.com/\S+"
"""Pattern of principals of a pool, project, folder or organization: never the public."""
