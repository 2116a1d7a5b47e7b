"""The program of identity/ on the real engine, beside the state that it gives rights on."""

from collections.abc import Callable

import pulumi
import pulumi_gcp as gcp

from identity.pipelines import make
from launcher.operations import opened
from tests.engine.conftest import Rehearsal
from tests.unit.test_identity import GIVEN


def state() -> None:
    """Make the bucket and the key of the state."""
    options = pulumi.ResourceOptions(provider=gcp.Provider("own", project=GIVEN.project))
    apis = [
        gcp.projects.Service(name, service=f"{name}.googleapis.com", opts=options)
        for name in ("cloudkms", "storage")
    ]
    options.depends_on = apis
    gcp.storage.Bucket("state", name=GIVEN.state_bucket, location="US", opts=options)
    ring = gcp.kms.KeyRing("ring", name="pulumi", location="us-central1", opts=options)
    gcp.kms.CryptoKey("key", name="state", key_ring=ring.id, opts=options)


def test_the_accounts_of_the_pipelines_are_made(
    rehearsal_of: Callable[[str], Rehearsal],
) -> None:
    def both() -> None:
        state()
        make(GIVEN)

    stack = rehearsal_of("dev")
    for program in (state, both):
        with opened(stack.places, program) as (engine, _):
            engine.up()
    types = [each["type"] for each in stack.resources()]
    assert types.count("gcp:serviceaccount/account:Account") == 3
    assert types.count("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember") == 3
    assert types.count("gcp:binaryauthorization/attestor:Attestor") == 1
    assert "gcp:privilegedaccessmanager/entitlement:entitlement" in types
