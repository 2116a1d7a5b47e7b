"""Where the sandbox plans otherwise than the real providers is told, resource by resource."""

from launcher.verify import Planned, differences

URN = "urn:pulumi:dev::inference::gcp:compute/network:Network::net"


def plan(operation: str = "create", **outputs: object) -> dict[str, Planned]:
    return {URN: Planned(operation, outputs)}


def test_the_same_plan_is_no_difference() -> None:
    assert differences(plan(name="a"), plan(name="a")) == []


def test_each_difference_is_named_with_both_values() -> None:
    mtu = "mtu is 'not known yet' here, 1460 there"
    told = differences(plan(name="a", mtu="not known yet"), plan("replace", name="a", mtu=1460))
    assert told == [f"gcp:compute:Network net: create here, replace there; {mtu}"]


def test_what_one_plan_lacks_is_named() -> None:
    assert differences({}, plan()) == [
        "gcp:compute:Network net: only the real providers would make it"
    ]
    assert differences(plan(), {})[0].endswith("only the sandbox would make it")


def test_a_long_list_is_cut() -> None:
    many = {URN: Planned("create", {f"p{number}": number for number in range(9)})}
    assert differences(plan(), many)[0].endswith("; 4 more")
