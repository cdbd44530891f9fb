"""Compares the choice of the STS endpoint with botocore's, over a table of settings.

Both get every case. Either they agree, or a difference from the list below gives the expected endpoint and the
reason. A difference that no case shows is an error, so the list has no obsolete entries.
"""

import dataclasses
import itertools
import json
import os
import pathlib
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from unittest import mock
from urllib.parse import urlsplit

import botocore.endpoint_provider
import botocore.loaders
import botocore.session

Case = dict[str, str]

# The answer of both if they refuse the settings.
REFUSED = "refused"

PARTITIONS = {
    "aws": "us-east-1",
    "aws-cn": "cn-northwest-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-eusc": "eusc-de-east-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
}
REGIONS = ("--region", "AWS_REGION", "AWS_DEFAULT_REGION", "region")
URLS = ("AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL", "services", "endpoint_url")
VARIANTS = (
    *("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
    *("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
)
IGNORES = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")

LOADER = botocore.loaders.create_loader()
SESSION = botocore.session.Session()
RULES = botocore.endpoint_provider.EndpointProvider(
    LOADER.load_service_model("sts", "endpoint-rule-set-1"), LOADER.load_data("partitions")
)


# Both sides.


class RequestIntercepted(Exception):
    """Raised in place of sending a request."""


def botocore_answers(case: Case, folder: pathlib.Path) -> str:
    """The URL that botocore would send the request to."""
    profile = {
        name: value for name, value in case.items() if name.islower() and name not in ("role", "services")
    }
    lines = ["[default]"]
    if "services" in case:
        lines += ["services = here"]
    lines += [f"{name} = {value}" for name, value in profile.items() if not name.startswith("-")]
    if "services" in case:
        lines += ["[services here]", "sts =", f"  endpoint_url = {case['services']}"]
    (folder / "config").write_text("\n".join(lines) + "\n")
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    environment |= {name: value for name, value in case.items() if name.startswith("AWS_")}
    with mock.patch.dict(os.environ, environment, clear=True):
        session = botocore.session.Session()
        session.register_component("data_loader", LOADER)
        urls: list[str] = []

        def note(request: object, **_: object) -> None:
            urls.append(request.url)  # type: ignore[attr-defined]
            raise RequestIntercepted

        try:
            client = session.create_client(
                "sts", region_name=case.get("--region"), endpoint_url=case.get("--endpoint-url")
            )
            client.meta.events.register("before-send.sts.AssumeRoleWithWebIdentity", note)
            client.assume_role_with_web_identity(
                RoleArn=case["role"], RoleSessionName="check", WebIdentityToken="dummy"
            )
        except RequestIntercepted:
            return normalised(urls[0])
        except Exception:  # Each kind of bad setting has a class of its own.
            return REFUSED
    raise AssertionError("nothing was sent")


def our_answers(cases: list[Case]) -> list[tuple[str, str]]:
    """URL and error message of `gp` for each case."""
    program = os.path.join(os.environ["EXAMPLES"], "endpoint")
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=True, timeout=60)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return [(normalised(a["url"]), "") if "url" in a else (REFUSED, a["error"]) for a in answers]


def normalised(url: str) -> str:
    """`url` in normal form: host in lower case, no default port, `/` for an empty path."""
    parts = urlsplit(url)
    port = "" if parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme)) else f":{parts.port}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{host}{port}{parts.path or '/'}{query}"


def home_of(region: str) -> str:
    """The partition to which botocore assigns a region."""
    if region.endswith("-global"):
        return region.removesuffix("-global")
    try:
        return SESSION.get_partition_for_region(region)
    except Exception:  # An unknown form of region belongs to `aws`.
        return "aws"


def rules_answer(case: Case) -> str:
    """The URL by the rules that all SDKs share, which botocore ships as a file."""
    endpoint = RULES.resolve_endpoint(
        Region=region_of(case), UseFIPS=fips(case), UseDualStack=dual_stack(case), UseGlobalEndpoint=False
    )
    return normalised(endpoint.url)


# The differences.


def first(case: Case, *names: str) -> str:
    return next((case[name] for name in names if case.get(name)), "")


def region_of(case: Case) -> str:
    """The region that takes precedence."""
    return first(case, *REGIONS)


def partition_of(case: Case) -> str:
    return case["role"].split(":")[1]


def bare(region: str) -> str:
    return region.removeprefix("fips-").removesuffix("-fips")


def ignorable(case: Case) -> bool:
    """Whether a URL is set that can be ignored."""
    return bool(first(case, *URLS)) and not case.get("--endpoint-url")


def url_in_use(case: Case) -> str:
    if ignorable(case) and first(case, *IGNORES).lower() == "true":
        return ""
    return first(case, "--endpoint-url", *URLS)


def fips(case: Case) -> bool:
    return first(case, *VARIANTS[:2]).lower() == "true" or bare(region_of(case)) != region_of(case)


def dual_stack(case: Case) -> bool:
    return first(case, *VARIANTS[2:]).lower() == "true"


def without(case: Case, *names: str) -> Case:
    return {name: value for name, value in case.items() if name not in names}


def in_region(case: Case, region: str) -> Case:
    return without(case, *REGIONS) | {"--region": region}


@dataclasses.dataclass
class Difference:
    """An intended difference from botocore."""

    name: str
    why: str
    applies: Callable[[Case], bool]
    # The case for which botocore gives the same answer.
    instead: Callable[[Case], Case] | None = None
    # The answer, if botocore has none to compare with.
    answer: Callable[[Case], str] = lambda _: REFUSED
    # A part of the error message, if the settings are refused.
    message: str = ""


DIFFERENCES = [
    Difference(
        "an empty setting does not exist",
        "botocore fails on an empty region, and lets an empty variable switch off what the profile sets",
        lambda case: "" in case.values(),
        lambda case: {name: value for name, value in case.items() if value},
    ),
    Difference(
        "AWS_REGION is read",
        "botocore reads AWS_DEFAULT_REGION only; version 2 of the CLI and other SDKs read AWS_REGION first",
        lambda case: "AWS_REGION" in case,
        lambda case: (
            without(case, "AWS_REGION", "AWS_DEFAULT_REGION") | {"AWS_DEFAULT_REGION": case["AWS_REGION"]}
        ),
    ),
    Difference(
        "a switch is true or false",
        "botocore takes every other word as false, so a mistyped FIPS setting does nothing",
        lambda case: any(
            first(case, *names).lower() not in ("", "true", "false")
            for names in (VARIANTS[:2], VARIANTS[2:], *([IGNORES] if ignorable(case) else []))
        ),
        message="write `true` or `false`",
    ),
    Difference(
        "a zone is not a region",
        "botocore makes a host name of it that does not exist",
        lambda case: region_of(case)[-1:].isalpha() and region_of(case)[-2:-1].isdigit(),
        message="availability zone",
    ),
    Difference(
        "a region is in lower case",
        "botocore keeps upper case in the host name and finds no partition",
        lambda case: region_of(case) != region_of(case).lower(),
        message="not a region",
    ),
    Difference(
        "a URL is https, or http to this machine, without user name and fragment",
        "the request holds a token; botocore sends it to any scheme, with any user name",
        lambda case: (
            bool(url := url_in_use(case))
            and (
                urlsplit(url).scheme.lower() not in ("http", "https")
                or (
                    urlsplit(url).scheme == "http"
                    and urlsplit(url).hostname not in ("localhost", "127.0.0.1", "127.1.2.3", "::1")
                )
                or "@" in urlsplit(url).netloc
                or bool(urlsplit(url).fragment)
            )
        ),
    ),
    Difference(
        "FIPS or dual stack with a URL is refused",
        "the rules that the SDKs share call it an error; botocore drops FIPS in silence",
        lambda case: bool(url_in_use(case)) and (fips(case) or dual_stack(case)),
        message="cannot be used together",
    ),
    Difference(
        "without a region, the role's partition gives the region",
        "botocore asks the STS of the partition `aws`, which knows no role of another one",
        lambda case: not region_of(case) and not url_in_use(case) and partition_of(case) != "aws",
        lambda case: in_region(case, PARTITIONS[partition_of(case)]),
    ),
    Difference(
        "PARTITION-global means the implicit region of the partition",
        "botocore makes a host name of `aws-cn-global` that does not exist",
        lambda case: (
            region_of(case).endswith("-global")
            and region_of(case) != "aws-global"
            and not url_in_use(case)
            and region_of(case).removesuffix("-global") == partition_of(case)
        ),
        lambda case: in_region(case, PARTITIONS[partition_of(case)]),
    ),
    Difference(
        "without a region, FIPS and dual stack mean us-east-1",
        "botocore makes `sts-fips.aws-global.amazonaws.com` of it, which does not exist",
        lambda case: (
            region_of(case) in ("", "aws-global")
            and (fips(case) or dual_stack(case))
            and not url_in_use(case)
        ),
        lambda case: in_region(case, "us-east-1"),
    ),
    Difference(
        "a region outside of the role's partition is refused",
        "botocore asks an STS that cannot know the role",
        lambda case: (
            bool(region_of(case))
            and not url_in_use(case)
            and home_of(bare(region_of(case))) != partition_of(case)
        ),
        message="which is in partition",
    ),
    Difference(
        "dual stack in aws-iso-e and aws-iso-f",
        "botocore's older list of endpoints lacks it and ends the search, the rules have it",
        lambda case: (
            partition_of(case) in ("aws-iso-e", "aws-iso-f") and dual_stack(case) and not url_in_use(case)
        ),
        answer=rules_answer,
    ),
    Difference(
        "a host may have an underscore",
        "botocore refuses it as a host name; container networks and private zones have such names",
        lambda case: "_" in (urlsplit(url_in_use(case)).hostname or ""),
        answer=lambda case: normalised(url_in_use(case)),
    ),
]


# The cases.

ALL_REGIONS = [
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
    *("eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1", "ap-south-1"),
    *("ap-northeast-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-2", "ap-northeast-3"),
    *("eu-south-1", "me-south-1", "mx-central-1", "il-central-1", "af-south-1", "xx-moon-1"),
    *("us-gov-west-1", "us-gov-east-1", "cn-north-1", "cn-northwest-1", "eusc-de-east-1"),
    *("us-iso-east-1", "us-iso-west-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1"),
    *("aws-global", "fips-us-west-2", "us-east-1-fips"),
]
SAMPLE = ["", "us-east-1", "eu-south-1", "us-gov-west-1", "cn-north-1", "xx-moon-1"]


def role(region: str) -> Case:
    """A role in the partition of a region."""
    return {"role": f"arn:{home_of(bare(region)) if region else 'aws'}:iam::123456789012:role/check"}


def cases() -> Iterator[Case]:
    # Every region with every combination of switches.
    switches = [
        dict(zip((VARIANTS[0], VARIANTS[2], "AWS_STS_REGIONAL_ENDPOINTS"), values, strict=True))
        for values in itertools.product(("", "true"), ("", "true"), ("", "legacy"))
    ]
    for region, values in itertools.product(["", *ALL_REGIONS], switches):
        case = {"AWS_DEFAULT_REGION": region} | values
        yield role(region) | {name: value for name, value in case.items() if value}

    # The environment together with the profile, for each switch.
    for pair, word in (
        (VARIANTS[:2], "true"),
        (VARIANTS[2:], "true"),
        (("AWS_STS_REGIONAL_ENDPOINTS", "sts_regional_endpoints"), "legacy"),
    ):
        words = (None, "", word, word.title(), "false" if word == "true" else "regional", "yes")
        for values, region in itertools.product(itertools.product(words, words), ("eu-west-1", "")):
            case = {name: value for name, value in zip(pair, values, strict=True) if value is not None}
            yield role(region) | case | ({"region": region} if region else {})

    # The settings that can name a region.
    for values in itertools.product((None, "eu-west-1"), (None, "eu-west-2", ""), (None, "eu-west-3", "")):
        names = ("--region", "AWS_DEFAULT_REGION", "region")
        yield role("") | {name: value for name, value in zip(names, values, strict=True) if value is not None}
    for value, other in itertools.product(
        ("eu-west-1", "", "eu_west"),
        ({}, {"AWS_DEFAULT_REGION": "eu-west-2"}, {"region": "eu-west-3"}, {"--region": "us-west-2"}),
    ):
        yield role("") | {"AWS_REGION": value} | other

    # The settings that can name a URL, and the switches that make it ignored.
    urls = [
        "https://flag.example/",
        "https://sts.example/a",
        "http://localhost:4566/",
        "http://127.0.0.1:1/s/",
        "https://all.example",
    ]
    for chosen in itertools.product((False, True), repeat=5):
        names = ("--endpoint-url", *URLS)
        given = {name: url for name, url, here in zip(names, urls, chosen, strict=True) if here}
        for ignore in (
            {},
            {IGNORES[0]: "true"},
            {IGNORES[0]: "FALSE", IGNORES[1]: "true"},
            {IGNORES[1]: "true"},
            {IGNORES[0]: "on"},
        ):
            yield role("") | given | ignore

    # URLs of every kind, and URLs together with the other switches.
    for url in (
        *(
            "https://x.example",
            "https://X.Example:443/a/b/",
            "https://x.example:8443/a?b=c",
            "https://x.example/a%20b",
        ),
        *(
            "http://[::1]:4566/",
            "http://127.1.2.3/",
            "http://localhost",
            "http://x.example/",
            "http://10.0.0.1:4566",
        ),
        *("x.example", "localhost:4566", "", "https://", "ftp://x.example/", "https://u:p@x.example/"),
        *("https://x.example/#f", "https://x y/", "https://a_b.example/"),
    ):
        yield role("") | {"AWS_ENDPOINT_URL": url}
        yield role("eu-west-1") | {"--endpoint-url": url or "https://y.example/", "region": "eu-west-1"}
    for region, variant in itertools.product(
        SAMPLE, (*VARIANTS, "sts_regional_endpoints", "AWS_STS_REGIONAL_ENDPOINTS")
    ):
        value = "legacy" if "sts_regional" in variant.lower() else "true"
        for extra in ({}, {IGNORES[0]: "true"}):
            case = role(region) | {variant: value, "AWS_ENDPOINT_URL": "https://x.example/"} | extra
            yield case | ({"AWS_DEFAULT_REGION": region} if region else {})

    # Invalid regions.
    for region in (
        "eu_west_1",
        "123",
        "-a",
        "a-",
        "a" * 64,
        "EU-WEST-1",
        "us-east-1a",
        "eu-west-1b",
        "x.example/",
        "é",
        "a b",
    ):
        yield role("") | {"AWS_DEFAULT_REGION": region}
        yield role("") | {"region": region}

    # Roles of every partition in regions of every partition, and in none.
    stand_ins = [f"{partition}-global" for partition in PARTITIONS if partition != "aws-eusc"]
    for partition, region in itertools.product(
        PARTITIONS, ["", *PARTITIONS.values(), *stand_ins, "xx-moon-1"]
    ):
        case = {"role": f"arn:{partition}:iam::123456789012:role/check"}
        yield case | ({"AWS_DEFAULT_REGION": region} if region else {})
    for partition, region in itertools.product(PARTITIONS, ("", "eu-west-1", "aws-cn-global")):
        case = {"role": f"arn:{partition}:iam::123456789012:role/check"}
        for other in ({"AWS_USE_FIPS_ENDPOINT": "true"}, {"AWS_ENDPOINT_URL": "https://x.example/"}):
            yield case | other | ({"AWS_DEFAULT_REGION": region} if region else {})


def compare() -> tuple[int, Counter[str], list[str]]:
    """The number of cases, the number of each kind of result, and the unexplained results."""
    table = list({json.dumps(case, sort_keys=True): case for case in cases()}.values())
    shown: Counter[str] = Counter()
    wrong: list[str] = []
    known: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:

        def ask(case: Case) -> str:
            key = json.dumps(case, sort_keys=True)
            if key not in known:
                known[key] = botocore_answers(case, pathlib.Path(folder))
            return known[key]

        for case, (ours, message) in zip(table, our_answers(table), strict=True):
            theirs = ask(case)
            # Several differences can apply to one case: each changes the case, until one has the answer.
            equivalent, reasons, expected = case, [], None
            for difference in DIFFERENCES:
                if difference.applies(equivalent):
                    reasons.append(difference)
                    if difference.instead is None:
                        expected = difference.answer(equivalent)
                        break
                    equivalent = difference.instead(equivalent)
            good = ours == (expected or ask(equivalent)) and all(d.message in message for d in reasons)
            if not good:
                names = [difference.name for difference in reasons]
                wrong.append(f"{case}: ours {ours} {message}; botocore {theirs}; differences {names}")
            elif ours == theirs:
                shown["the same URL" if ours != REFUSED else "refused by both"] += 1
            else:
                shown.update(difference.name for difference in reasons)
    wrong += [f"no case shows: {d.name}" for d in DIFFERENCES if not shown[d.name]]
    return len(table), shown, wrong


def test_gp_chooses_the_sts_of_botocore_except_for_intended_differences() -> None:
    count, shown, wrong = compare()
    assert wrong == []
    # If botocore refused every case, the test would compare nothing.
    assert count >= 500
    assert shown["the same URL"] >= 400
