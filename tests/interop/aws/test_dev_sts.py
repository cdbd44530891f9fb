"""botocore reads the replies of the local workspace's STS as it reads AWS's."""

import datetime
from collections.abc import Callable

import botocore.client
import botocore.config
import botocore.exceptions
import botocore.session
import pytest
from conftest import Gp


def client(inside: Gp) -> botocore.client.BaseClient:
    """A client that does not try again."""
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
