"""botocore understands the replies of the local workspace's STS, and this STS has the parameter limits of the service
model that botocore ships."""

import dataclasses
import datetime
import re
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree
from collections.abc import Callable

import botocore.client
import botocore.config
import botocore.exceptions
import botocore.model
import botocore.session
import botocore.validate
import pytest
from conftest import LIMIT, Gp


def client(inside: Gp) -> botocore.client.BaseClient:
    """A client that does not retry."""
    config = botocore.config.Config(signature_version=botocore.UNSIGNED, retries={"total_max_attempts": 1})
    url = inside.environment["AWS_ENDPOINT_URL_STS"]
    return botocore.session.Session().create_client("sts", "us-east-1", endpoint_url=url, config=config)


def assume(inside: Gp, token: str, **changes: object) -> dict:
    usual = {"RoleArn": inside.environment["IDP_AWS_ROLE_ARN"], "RoleSessionName": "ann", "WebIdentityToken": token}
    return client(inside).assume_role_with_web_identity(**usual | changes)


def test_a_grant(workspace: Gp) -> None:
    policy = '{"Version":"2012-10-17","Statement":[]}'
    reply = assume(workspace, workspace.token("--audience", "sts.amazonaws.com"), DurationSeconds=900, Policy=policy)
    assert reply["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/dev/ann"
    assert reply["AssumedRoleUser"]["AssumedRoleId"].startswith("AROA")
    assert reply["Audience"] == "sts.amazonaws.com"
    assert reply["Provider"] == workspace.environment["IDP_API_URL"] + "/idp"
    assert reply["SubjectFromWebIdentityToken"] == "https://github.com/gitpod-io/example"
    assert reply["PackedPolicySize"] == 1
    credentials = reply["Credentials"]
    assert credentials["AccessKeyId"].startswith("ASIA")
    assert len(credentials["SecretAccessKey"]) == 40
    life = credentials["Expiration"] - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(minutes=14) < life <= datetime.timedelta(minutes=15)
    metadata = reply["ResponseMetadata"]
    assert metadata["RequestId"] == metadata["HTTPHeaders"]["x-amzn-requestid"]


@pytest.mark.parametrize(
    ("fault", "code", "exception"),
    [
        ("expired-token", "ExpiredTokenException", "ExpiredTokenException"),
        ("idp-communication-error", "IDPCommunicationError", "IDPCommunicationErrorException"),
        ("idp-rejected-claim", "IDPRejectedClaim", "IDPRejectedClaimException"),
        ("malformed-policy-document", "MalformedPolicyDocument", "MalformedPolicyDocumentException"),
        ("no-provider", "InvalidIdentityToken", "InvalidIdentityTokenException"),
        ("packed-policy-too-large", "PackedPolicyTooLarge", "PackedPolicyTooLargeException"),
        ("region-disabled", "RegionDisabledException", "RegionDisabledException"),
    ],
)
def test_a_refusal(start_workspace: Callable[..., Gp], fault: str, code: str, exception: str) -> None:
    inside = start_workspace("--aws-fault", fault)
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        assume(inside, inside.token("--audience", "sts.amazonaws.com"))
    assert type(refused.value).__name__ == exception
    assert refused.value.response["Error"]["Code"] == code
    metadata = refused.value.response["ResponseMetadata"]
    assert metadata["RequestId"]
    model = client(inside).meta.service_model.shape_for(exception).metadata
    assert metadata["HTTPStatusCode"] == model["error"]["httpStatusCode"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"RoleSessionName": "a b"}, "ValidationError"),
        ({"RoleSessionName": "n" * 65}, "ValidationError"),
        ({"DurationSeconds": 43201}, "ValidationError"),
        ({"WebIdentityToken": "opaque"}, "InvalidIdentityToken"),
        ({"RoleArn": "arn:aws:iam::123456789012:role/other"}, "AccessDenied"),
    ],
)
def test_what_botocore_does_not_check(workspace: Gp, changes: dict[str, object], code: str) -> None:
    token = workspace.token("--audience", "sts.amazonaws.com")
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        assume(workspace, token, **changes)
    assert refused.value.response["Error"]["Code"] == code


SHAPE = botocore.session.Session().get_service_model("sts").operation_model("AssumeRoleWithWebIdentity").input_shape
ROLE = "arn:aws:iam::123456789012:role/dev"
READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"
STATEMENT = '{"Statement":[]}'

# Why moto answers differently. It refuses only what makes it fail: no role, and a duration that is not a number.
NO_LIMITS = "moto does not check the length, the characters or the range of this parameter"
NO_POLICIES = "moto does not check session policies"
NO_TOKEN = "moto does not check the token"
NO_ROLES = "moto allows every role ARN that it can parse"


@dataclasses.dataclass
class Case:
    """Parameters that replace the usual ones; `None` removes one."""

    changes: dict[str, str | list[str] | None]
    # Code and message of a refusal that the model does not cover, and the reason why it does not.
    refused: tuple[str, str] | None = None
    because: str | None = None
    # Why moto's verdict differs.
    moto: str | None = None


def long(text: str, length: int) -> str:
    """`text`, padded with `x` to `length`."""
    return text + "x" * (length - len(text))


DENIED = ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
NO_ARN = ("ValidationError", "Request ARN is invalid")
FORM = "the model knows the length and the characters of an ARN, not its form"
CASES = [
    Case({}),
    # RoleArn
    Case({"RoleArn": None}),
    Case({"RoleArn": ""}, moto=NO_LIMITS),
    Case({"RoleArn": "dev"}, moto=NO_LIMITS),
    Case({"RoleArn": "arn:aws:iam::1:role"}, moto=NO_LIMITS),
    Case({"RoleArn": "arn:aws:iam::1:role/"}, NO_ARN, FORM, NO_LIMITS),
    Case({"RoleArn": long(ROLE[:-3], 2048)}, NO_ARN, "a name has at most 64 characters, as CreateRole says", NO_LIMITS),
    Case({"RoleArn": long(ROLE[:-3], 2049)}, moto=NO_LIMITS),
    Case({"RoleArn": ROLE + "\x07"}, moto=NO_LIMITS),
    Case({"RoleArn": ROLE + "\ufffe"}, moto=NO_LIMITS),
    Case({"RoleArn": ROLE + "é"}, NO_ARN, FORM, NO_LIMITS),
    Case({"RoleArn": " " + ROLE}, NO_ARN, FORM, NO_LIMITS),
    Case({"RoleArn": "arn:aws:iam::123456789012:user/ann"}, NO_ARN, FORM, NO_ROLES),
    Case({"RoleArn": "arn:aws:iam::123456789012:oidc-provider/x.example"}, NO_ARN, FORM, NO_ROLES),
    Case({"RoleArn": "arn:aws:iam::12345678901:role/dev"}, NO_ARN, FORM, NO_ROLES),
    Case({"RoleArn": "arn:awscn:iam::123456789012:role/dev"}, NO_ARN, FORM, NO_ROLES),
    Case({"RoleArn": "arn:aws:iam:eu-west-1:123456789012:role/dev"}, NO_ARN, FORM, NO_ROLES),
    Case({"RoleArn": "arn:aws:iam::123456789012:role/other"}, DENIED, "only the account knows its roles", NO_ROLES),
    # RoleSessionName
    Case({"RoleSessionName": None}, moto=NO_LIMITS),
    Case({"RoleSessionName": ""}, moto=NO_LIMITS),
    Case({"RoleSessionName": "a"}, moto=NO_LIMITS),
    Case({"RoleSessionName": "ab"}),
    Case({"RoleSessionName": "Ann_1+=,.@-"}),
    Case({"RoleSessionName": "n" * 64}),
    Case({"RoleSessionName": "n" * 65}, moto=NO_LIMITS),
    Case({"RoleSessionName": "a b"}, moto=NO_LIMITS),
    Case({"RoleSessionName": "a/b"}, moto=NO_LIMITS),
    Case({"RoleSessionName": "ab\n"}, moto=NO_LIMITS),
    Case({"RoleSessionName": "éé"}, moto=NO_LIMITS),
    Case({"RoleSessionName": "é"}, moto=NO_LIMITS),
    Case({"RoleSessionName": " " * 65}, moto=NO_LIMITS),
    # WebIdentityToken
    Case({"WebIdentityToken": None}, moto=NO_TOKEN),
    Case({"WebIdentityToken": ""}, moto=NO_TOKEN),
    Case({"WebIdentityToken": "abc"}, moto=NO_TOKEN),
    Case({"WebIdentityToken": "abcd"}, ("InvalidIdentityToken", "not a valid JWT"), "the model has any text", NO_TOKEN),
    Case({"WebIdentityToken": "t" * 20000}, ("InvalidIdentityToken", "not a valid JWT"), "the model has any text", NO_TOKEN),
    Case({"WebIdentityToken": "t" * 20001}, moto=NO_TOKEN),
    # DurationSeconds
    Case({"DurationSeconds": "899"}, moto=NO_LIMITS),
    Case({"DurationSeconds": "900"}),
    Case({"DurationSeconds": "-900"}, moto=NO_LIMITS),
    Case({"DurationSeconds": "7200"}),
    Case({"DurationSeconds": "7201"}, ("ValidationError", "exceeds the MaxSessionDuration set for this role"), "only the role knows", NO_LIMITS),
    Case({"DurationSeconds": "43201"}, moto=NO_LIMITS),
    Case({"DurationSeconds": "1h"}, ("ValidationError", "at 'durationSeconds' failed to satisfy constraint"), "the model has no words for what is no number"),
    # Policy
    Case({"Policy": ""}, moto=NO_POLICIES),
    Case({"Policy": STATEMENT}),
    Case({"Policy": STATEMENT + "\r\n\t"}),
    Case({"Policy": '{"Statement":["é"]}'}),
    Case({"Policy": '{"Statement":["→"]}'}, moto=NO_POLICIES),
    Case({"Policy": STATEMENT + "\x0b"}, moto=NO_POLICIES),
    Case({"Policy": STATEMENT.ljust(2048)}),
    Case({"Policy": STATEMENT.ljust(2049)}, moto=NO_POLICIES),
    Case({"Policy": "{"}, ("MalformedPolicyDocument", ""), "the model has any text", NO_POLICIES),
    Case({"Policy": "{}"}, ("MalformedPolicyDocument", ""), "the model has any text", NO_POLICIES),
    # PolicyArns
    Case({"PolicyArns": [READ]}),
    Case({"PolicyArns": ["arn:aws:iam::123456789012:policy/team/own"] * 10}),
    Case({"PolicyArns": [READ] * 11}, ("ValidationError", "at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to 10"), "the model counts no list; the API reference says up to 10", NO_POLICIES),
    Case({"PolicyArns": [READ, "ReadOnlyAccess"]}, moto=NO_POLICIES),
    Case({"PolicyArns": [long(READ, 2049)]}, moto=NO_POLICIES),
    Case({"PolicyArns": ["arn:aws:iam::123456789012:role/dev"]}, ("ValidationError", "Policy ARN"), FORM, NO_POLICIES),
    Case({"PolicyArns": ["arn:aws:iam::210987654321:policy/own"]}, ("ValidationError", "Policy ARN"), "the API reference: of the role's account", NO_POLICIES),
    Case({"PolicyArns": ["arn:aws-cn:iam::aws:policy/ReadOnlyAccess"]}, ("ValidationError", "Policy ARN"), "the API reference: of the role's account", NO_POLICIES),
    Case({"Policy": STATEMENT.ljust(2048), "PolicyArns": [READ]}, ("PackedPolicyTooLarge", "101%"), "the API reference: 2048 characters together", NO_POLICIES),
    # Parameters that `gp` never sends.
    Case({"ProviderId": "www"}, moto=NO_LIMITS),
    Case({"ProviderId": "p" * 2049}, moto=NO_LIMITS),
    Case({"MinimumSessionTokenSize": "0"}),
    Case({"MinimumSessionTokenSize": "4096"}),
    Case({"MinimumSessionTokenSize": "4097"}, moto=NO_LIMITS),
    Case({"MinimumSessionTokenSize": "-1"}, moto=NO_LIMITS),
    # Several at once.
    Case({"RoleArn": "x", "RoleSessionName": "y", "DurationSeconds": "1", "Policy": "\x0b"}, moto=NO_LIMITS),
    Case({"RoleArn": None, "RoleSessionName": None, "WebIdentityToken": None}),
]  # fmt: skip


def violations(parameters: dict[str, str | list[str]]) -> list[str]:
    """The violations of the model, in the words of STS."""
    found: list[str] = []

    def check(name: str, shape: botocore.model.Shape, value: str) -> None:
        # XML cannot contain control characters.
        shown = "[redacted]" if name == "webIdentityToken" else re.sub("[\x07\x0b\ufffe]", "\ufffd", value)

        def must(rule: str) -> None:
            found.append(f"Value '{shown}' at '{name}' failed to satisfy constraint: Member must {rule}")

        of, size = ("value", int(value)) if shape.type_name == "integer" else ("length", len(value))
        if size < shape.metadata.get("min", size):
            must(f"have {of} greater than or equal to {shape.metadata['min']}")
        if size > shape.metadata.get("max", size):
            must(f"have {of} less than or equal to {shape.metadata['max']}")
        pattern = shape.metadata.get("pattern")
        # The whole text has to match; an empty text is too short anyway.
        if pattern and value and not re.fullmatch(pattern, value, re.ASCII):
            must(f"satisfy regular expression pattern: {pattern}")

    for member, shape in SHAPE.members.items():
        name, value = member[0].lower() + member[1:], parameters.get(member)
        if value is None and member in SHAPE.required_members:
            found.append(f"Value null at '{name}' failed to satisfy constraint: Member must not be null")
        elif isinstance(value, list):
            for at, arn in enumerate(value, 1):
                check(f"{name}.{at}.member.arn", shape.member.members["arn"], arn)
        elif value is not None and not (shape.type_name == "integer" and not re.fullmatch("-?[0-9]+", value)):
            check(name, shape, value)
    return found


def botocore_refuses(parameters: dict[str, str | list[str]]) -> bool:
    """Whether botocore refuses to send them. It checks less than its model says."""
    typed: dict[str, object] = dict(parameters)
    for name in ("DurationSeconds", "MinimumSessionTokenSize"):
        if re.fullmatch("-?[0-9]+", str(parameters.get(name, ""))):
            typed[name] = int(str(parameters[name]))
    typed |= {name: [{"arn": arn} for arn in value] for name, value in parameters.items() if isinstance(value, list)}
    return botocore.validate.ParamValidator().validate(typed, SHAPE).has_errors()


def post(url: str, parameters: dict[str, str | list[str]]) -> tuple[int, str, str]:
    """Status, error code and message of a request that no client library has checked."""
    fields = {"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15"}
    for name, value in parameters.items():
        if isinstance(value, list):
            fields |= {f"{name}.member.{at}.arn": arn for at, arn in enumerate(value, 1)}
        else:
            fields[name] = value
    try:
        with urllib.request.urlopen(url, urllib.parse.urlencode(fields).encode(), LIMIT) as reply:
            return reply.status, "", ""
    except urllib.error.HTTPError as error:
        with error:
            status, text = error.code, error.read().decode()
    # moto answers unexpected input with an HTML page.
    if not text.startswith("<ErrorResponse"):
        return status, "", text
    tree = xml.etree.ElementTree.fromstring(text)
    return status, tree.findtext(".//{*}Code", ""), tree.findtext(".//{*}Message", "")


def test_the_limits_of_parameters(start_workspace: Callable[..., Gp], moto: str) -> None:
    inside = start_workspace("--aws-max-session-duration", "7200")
    token = inside.token("--audience", "sts.amazonaws.com")
    usual = {"RoleArn": ROLE, "RoleSessionName": "ann", "WebIdentityToken": token}
    assert len(CASES) > 60
    refused = 0
    for case in CASES:
        parameters = {name: value for name, value in (usual | case.changes).items() if value is not None}
        shown = str(case.changes)[:200]
        status, code, message = post(inside.environment["AWS_ENDPOINT_URL_STS"], parameters)
        wrong = violations(parameters)
        assert (case.refused is None) == (case.because is None), shown
        if wrong:
            assert case.refused is None, f"the model refuses this already: {shown}"
            head, _, clauses = message.partition(" detected: ")
            assert (status, code) == (400, "ValidationError"), (shown, message)
            assert head == f"{len(wrong)} validation error{'s'[: len(wrong) - 1]}", (shown, message)
            assert sorted(clauses.split("; ")) == sorted(wrong), shown
        elif case.refused:
            assert (code, case.refused[1] in message) == (case.refused[0], True), (shown, status, code, message)
        else:
            assert status == 200, (shown, code, message)
        if botocore_refuses(parameters):
            assert code == "ValidationError", shown
        accepted = post(moto, parameters)[0] == 200
        assert (accepted == (status == 200)) == (case.moto is None), (shown, case.moto)
        refused += status != 200
    assert refused > 50
