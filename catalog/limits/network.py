"""Limits of networks, of who connects to them, and of the perimeter around the project."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from catalog.armor import INTERVALS, MOST_REQUESTS, MOST_SENSITIVE, SIGNATURES
from catalog.limits import Choice, Cidr, Limit, LimitError, Range, Text, label
from catalog.limits.names import ANYONE, PROJECT
from catalog.machines import REGIONS
from catalog.problems import KeyPath, Problem, shown, shown_path


@dataclass(frozen=True)
class IpRange(Limit):
    """An IPv4 or IPv6 range in CIDR notation, or one address."""

    default: Any = None

    @property
    def allowed(self) -> str:
        """What is allowed, as a phrase."""
        return "an IP range"

    def check(self, value: Any) -> None:
        """Raise LimitError for text that is no range."""
        if not isinstance(value, str):
            return
        try:
            ipaddress.ip_network(value)
        except ValueError as problem:
            raise LimitError(f"an IP range ({problem})", "fix it") from None

    def hint(self) -> Mapping[str, object]:
        """Return nothing: no pattern tells both kinds."""
        return {}


REGION: Final = Choice(tuple(sorted(REGIONS)))
NODES: Final = Cidr(24)
PODS: Final = Cidr(21)
SERVICES: Final = Cidr(24)
PROXY_ONLY: Final = Cidr(26)
"""https://cloud.google.com/load-balancing/docs/proxy-only-subnets"""
PSC_NAT: Final = Cidr(29)
SUBNET: Final = Cidr(29)
MANAGED_SERVICES: Final = Cidr(24)
"""https://cloud.google.com/vpc/docs/private-services-access"""
PRIVATE_RANGE: Final = Cidr()
PUBLIC_RANGE: Final = Cidr(private=False)
IP_RANGE: Final = IpRange()
CONNECTION_LIMIT: Final = Range(1, 1000, default=10)
PROPAGATED_CONNECTIONS: Final = Range(1)
NETWORK: Final = Text(
    f"projects/{PROJECT}/global/networks/[a-z][a-z0-9-]{{0,62}}",
    "a network's full name",
    "write it like projects/acme-apps/global/networks/apps",
)
SUBNETWORK: Final = Text(
    f"projects/{PROJECT}/regions/[a-z0-9-]+/subnetworks/[a-z][a-z0-9-]{{0,62}}",
    "a subnetwork's full name",
    "write it like projects/acme-apps/regions/us-central1/subnetworks/apps",
)
CONSUMER_NAME: Final = label(20, "it becomes part of network names")

RATE_REQUESTS: Final = Range(1, MOST_REQUESTS, "requests")
RATE_SECONDS: Final = Choice(INTERVALS, default=60)
WAF: Final = Choice(tuple(SIGNATURES))
WAF_SENSITIVITY: Final = Range(1, MOST_SENSITIVE, default=1)

Mode = Literal["dry-run", "enforced"]
IdentityType = Literal["ANY_IDENTITY", "ANY_USER_ACCOUNT", "ANY_SERVICE_ACCOUNT"]
MODE: Final = Choice(get_args(Mode))
IDENTITY_TYPE: Final = Choice(get_args(IdentityType))
TITLE: Final = Text(
    "[a-zA-Z][a-zA-Z0-9_-]{0,49}",
    "a letter, then up to 49 letters, digits, hyphens or underscores",
)
ACCESS_LEVEL: Final = Text(
    "[A-Za-z][A-Za-z0-9_]{0,49}", "1 to 50 letters, digits or underscores, a letter first"
)
_EMAIL: Final = r"[^\s:@*]+@[^\s:@*]+\.[^\s:@*]+"
MEMBER: Final = Text(
    f"(?:user|serviceAccount):{_EMAIL}",
    "user: or serviceAccount: and an e-mail address (access levels take no groups)",
    "write it like user:ada@acme.com",
)
IDENTITY: Final = Text(
    rf"(?:user|serviceAccount|group):{_EMAIL}|{ANYONE}",
    "user:, serviceAccount: or group: and an e-mail address, principal:// or principalSet://",
    "write it like serviceAccount:deploy@acme-ci.iam.gserviceaccount.com",
)
# ISO 3166-1 alpha-2.
_COUNTRIES: Final = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN "
    "BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ "
    "DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL "
    "GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM "
    "JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME "
    "MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP "
    "NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD "
    "SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO "
    "TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
)
COUNTRY: Final = Text(
    _COUNTRIES.replace(" ", "|"),
    "a country code of two capital letters (ISO 3166-1)",
    "write it like US",
)
PROJECT_NUMBER: Final = Text(
    r"[0-9]{1,20}|\*",
    "a project number in quotes, or '*'",
    "`gcloud projects describe PROJECT --format='value(projectNumber)'` shows it",
)
OTHER_PROJECT: Final = Text(
    r"[1-9][0-9]{0,19}",
    "a project number in quotes",
    "`gcloud projects describe PROJECT --format='value(projectNumber)'` shows it",
)
PERIMETER: Final = Text(
    "accessPolicies/[0-9]+/servicePerimeters/[A-Za-z][A-Za-z0-9_]{0,49}",
    "a perimeter's full name",
    "write it like accessPolicies/600000000001/servicePerimeters/acme: `gcloud"
    " access-context-manager perimeters list` shows them",
)
_API: Final = r"[a-z][a-z0-9-]*\.googleapis\.com"
API: Final = Text(_API, "the host name of a Google API", "write it like storage.googleapis.com")
API_OR_ALL: Final = Text(
    rf"\*|{_API}",
    "the host name of a Google API, or '*'",
    "write it like storage.googleapis.com",
)
METHOD: Final = Text(
    r"\*|[A-Za-z][A-Za-z0-9_./]*",
    "a method of the service, or '*'",
    "write it like google.storage.objects.get",
)


def overlaps(ranges: Mapping[KeyPath, ipaddress.IPv4Network]) -> Iterator[tuple[KeyPath, KeyPath]]:
    """Yield pairs of paths whose ranges share addresses: each range with the nearest before it.

    Sorted by address, ranges without host bits either nest or are apart, so one pass is enough.
    """
    ordered = sorted(
        ranges.items(), key=lambda entry: (entry[1].network_address, entry[1].prefixlen)
    )
    enclosing: list[tuple[KeyPath, ipaddress.IPv4Network]] = []
    for path, network in ordered:
        while enclosing and not network.subnet_of(enclosing[-1][1]):
            enclosing.pop()
        if enclosing:
            yield enclosing[-1][0], path
        enclosing.append((path, network))


def apart(ranges: Mapping[KeyPath, object]) -> Iterator[Problem]:
    """Yield a problem for each range of one network that shares addresses with one before it.

    What is no range, or not known yet, passes.
    """
    order = {path: position for position, path in enumerate(ranges)}
    networks = {path: network for path, each in ranges.items() if (network := _network(each))}
    for pair in overlaps(networks):
        first, second = sorted(pair, key=order.__getitem__)
        yield Problem(
            second,
            shown(ranges[second]),
            f"a range that does not overlap {shown_path(first)} ({networks[first]})",
            "move one of them",
        )


def _network(cidr: object) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(cidr) if isinstance(cidr, str) else None
    except ValueError:
        return None
