"""A right on one table of BigQuery."""

import pulumi
import pulumi_gcp as gcp


def table_member(
    name: str,
    table: pulumi.Input[str],
    role: str,
    member: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> gcp.bigquery.IamMember:
    """Give `member` a role on a table, named `<project>.<dataset>.<table>`."""
    parts = pulumi.Output.from_input(table).apply(lambda full: full.split("."))
    return gcp.bigquery.IamMember(
        name,
        project=parts[0],
        dataset_id=parts[1],
        table_id=parts[2],
        role=role,
        member=member,
        opts=opts,
    )
