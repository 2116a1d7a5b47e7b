"""What a preview would do, as a page and as the comment of a pull request."""

import os
import re
import sys
from datetime import date
from pathlib import Path

from catalog.config_folder import make_command
from catalog.words import plural
from launcher.console import show
from launcher.engine_events import dependency_graph, record_into
from launcher.paths import StackPaths, shown_file, stack_folder, stacks
from launcher.policy_report import judged
from launcher.problem import LaunchError
from plans import comment, mermaid, page
from plans.picture import picture_of
from plans.plan import Plan, Recorder, read, write
from plans.report import report_of
from policies import report as policy_reports
from policies.reports.run import Run

_NAME = re.compile(r"[a-z0-9-]+")
LINK = "REPORT_URL"
"""The variable that names where the page can be read."""


def report(places: StackPaths, cloud: str) -> None:
    """Write comment, page, plan and findings of a preview under the stack's folder.

    Raises LaunchError if the preview fails, which the comment tells too, or a policy stops it.
    """
    folder = places.home / "report"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for earlier in folder.iterdir():
        earlier.unlink()
    link = os.environ.get(LINK, "")
    try:
        plan, run, refused = planned(places, cloud)
    except LaunchError as problem:
        (folder / "comment.md").write_text(comment.failed(places.stack, str(problem), link))
        raise
    found = report_of(plan, run, date.today(), refused=refused)
    (folder / "comment.md").write_text(
        comment.render(found, mermaid.render(picture_of(plan)), link), encoding="utf-8"
    )
    policy_reports.write(run, folder)
    text, undrawn = page.render(found, plan, run)
    (folder / "page.html").write_text(text, encoding="utf-8")
    if undrawn:
        show(f"warning: the page has no picture: {undrawn}", sys.stderr)
    show(f"{found.headline}\n" + "\n".join(f"  {each}" for each in found.facts).replace("**", ""))
    show(f"The page:    {shown_file(folder / 'page.html')}")
    show(f"The comment: {shown_file(folder / 'comment.md')}")
    if run.violations:
        raise LaunchError(
            f"{plural(len(run.violations), 'violation')}: `{make_command('up')}` would be refused"
        )
    if refused:
        raise LaunchError(refused)


def tell_if_missing(stack: str) -> None:
    """Write the comment of an environment whose file is gone, as when a change deletes it."""
    if stack in stacks() or not _NAME.fullmatch(stack):
        return
    folder = stack_folder(stack) / "report"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "comment.md").write_text(
        comment.failed(
            stack,
            f"There is no Pulumi.{stack}.yaml (any more). What the environment made stays in the "
            "cloud, and nothing looks after it: run "
            f"`{make_command(f'destroy STACK={stack} CLOUD=gcp')}` from a commit that has the "
            "file, then delete the file.",
            what="its stack file is deleted",
        )
    )


def planned(places: StackPaths, cloud: str) -> tuple[Plan, Run, str]:
    """Return what a preview would do, what the packs say of it, and why else it is refused."""
    recorder = Recorder()
    found = judged(places, cloud, record_into(recorder))
    run, then = found.run, dependency_graph(found.recorded)
    file = plan_file(places)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Of a preview that is refused the packs hear not all.
    told = {"needs": run.needs, "properties": run.wired}
    now = {key: {**then[key], **told[key]} for key in told}
    write(file, places.stack, recorder, now, then)
    return read(file), run, found.refused


def plan_file(places: StackPaths) -> Path:
    """Return where the last plan of a stack is."""
    return places.home / "report" / "plan.json"
