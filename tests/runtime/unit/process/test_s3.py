"""The signed request for an S3 object, against AWS's own worked example and a server that checks nothing."""

from datetime import UTC, datetime

import pytest
from modelport_runtime.s3 import BadAddress, Credentials, build_request, sign

# https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "Example: GET Object".
KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
EXAMPLE = Credentials(KEY_ID, SECRET, "us-east-1")
THEN = datetime(2013, 5, 24, tzinfo=UTC)
SIGNATURE = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}


def test_the_worked_example_is_signed_as_aws_has_it() -> None:
    headers = sign("https://examplebucket.s3.amazonaws.com/test.txt", {"Range": "bytes=0-9"}, EXAMPLE, THEN)

    assert headers["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        f"SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature={SIGNATURE}"
    )


def test_a_bucket_is_at_aws_unless_said_otherwise() -> None:
    request = build_request("s3://models/iris/v1.joblib", {**ENVIRONMENT, "AWS_REGION": "eu-central-1"})

    assert request.url == "https://models.s3.eu-central-1.amazonaws.com/iris/v1.joblib"
    assert "/eu-central-1/s3/aws4_request" in request.headers["authorization"]


def test_an_own_server_has_the_bucket_in_the_path() -> None:
    request = build_request("s3://models/a", {**ENVIRONMENT, "AWS_ENDPOINT_URL": "http://minio.store:9000/"})

    assert request.url == "http://minio.store:9000/models/a"
    assert request.headers["host"] == "minio.store:9000"


def test_without_credentials_nothing_is_signed() -> None:
    assert build_request("s3://models/a", {}).headers == {}


def test_a_session_token_is_sent_and_signed() -> None:
    request = build_request("s3://models/a", {**ENVIRONMENT, "AWS_SESSION_TOKEN": "token"})

    assert request.headers["x-amz-security-token"] == "token"
    assert ";x-amz-security-token," in request.headers["authorization"]


def test_a_key_is_a_name_and_not_an_encoded_path() -> None:
    assert build_request("s3://models/a b/c%20d+e", {}).url.endswith("/a%20b/c%2520d%2Be")


def test_an_endpoint_that_is_no_address_is_reported() -> None:
    with pytest.raises(BadAddress, match="AWS_ENDPOINT_URL"):
        build_request("s3://models/a", {"AWS_ENDPOINT_URL": "minio:9000"})
