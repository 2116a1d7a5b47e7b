"""Names by which the parts of a request's way are known, to those who make and who judge it."""

from typing import Final

GUARDRAIL: Final = "guardrail"
"""Last word of the name of what screens prompts and answers: of a container in front of the model
server in its pod, of an extension of the Gateway, or of the Service that one calls."""
API_MANAGEMENT: Final = "api-management"
"""End of the name of the extension that identifies callers and counts their requests."""
