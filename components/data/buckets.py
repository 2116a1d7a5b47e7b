"""What every bucket has: a storage class, and a name made of the project's."""

from components.validation import Problems

_LONGEST_NAME = 63


def check_bucket_name(problems: Problems, path: str, project: object, name: str) -> None:
    """Note a name that makes the bucket's name too long or Google's own."""
    if not isinstance(project, str):
        return
    bucket = f"{project}-{name}"
    if len(bucket) > _LONGEST_NAME or bucket.startswith("goog") or "google" in bucket:
        problems.add(
            path,
            f"found {name!r}, which makes the bucket's name {bucket!r}; allowed: up to "
            f"{_LONGEST_NAME} characters, not goog first, no google inside; give the "
            "component another name",
        )
