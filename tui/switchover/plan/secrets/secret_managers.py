"""Secrets that a cloud keeps: AWS Secrets Manager, Google Cloud Secret Manager. SDKs are imported at the first need."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from switchover.errors import SwitchoverError

__all__ = ["GoogleSecretManager", "SecretError", "from_aws"]

_AWS_HINTS = {
    "ResourceNotFoundException": "no secret has that id in this account and region; see AWS_PROFILE and AWS_REGION",
    "AccessDeniedException": "allow secretsmanager:GetSecretValue on it (and kms:Decrypt on its key)",
    "DecryptionFailure": "allow kms:Decrypt on the key that it is encrypted with",
    "InvalidRequestException": "it is marked for deletion, perhaps",
    "ExpiredTokenException": "the login has expired; log in again",
    "UnrecognizedClientException": "the credentials are not valid here",
    "NoCredentialsError": "log in, or set AWS_PROFILE",
    "NoRegionError": "set AWS_REGION",
    "EndpointConnectionError": "the service cannot be reached from here",
    "ConnectTimeoutError": "the service cannot be reached from here",
}
_GOOGLE_HINTS = {
    400: "write gcp-sm:NAME or gcp-sm:projects/PROJECT/secrets/NAME/versions/VERSION",
    401: "the login has expired; log in again",
    403: "grant roles/secretmanager.secretAccessor on it",
    404: "the project has no secret or version of that name",
}
_NAME = re.compile(r"(projects/[^/]+/)(locations/([a-z0-9-]+)/)?secrets/[^/]+(/versions/[^/]+)?")
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"

Token = Callable[[], tuple[str, str | None]]


class SecretError(SwitchoverError):
    """A secret cannot be had; the title names it and says why, never what it is."""


def from_aws(rest: str) -> str:
    """Return the secret with this id or ARN from AWS Secrets Manager. Raise `SecretError`."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    bounded = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
    try:
        reply = boto3.client("secretsmanager", config=bounded).get_secret_value(SecretId=rest)
    except (BotoCoreError, ClientError) as error:
        name = type(error).__name__
        if name == "ClientError" and isinstance(error, ClientError):
            name = str(error.response.get("Error", {}).get("Code", name))
        name = name if name.isalnum() else "ClientError"
        raise SecretError(f"aws-sm failed ({name})", _AWS_HINTS.get(name, "")) from None
    return str(reply["SecretString"] if "SecretString" in reply else reply["SecretBinary"].decode("utf-8"))


class GoogleSecretManager:
    """Asks the REST API. `endpoint` (empty: Google's, by the secret's location) and `token` are for tests."""

    def __init__(self, endpoint: str = "", token: Token | None = None) -> None:
        self._endpoint = endpoint
        self._token = token or _application_default

    def __call__(self, rest: str) -> str:
        """Return the secret `NAME`, `projects/P/secrets/NAME` or `…/versions/V`. Raise `SecretError`."""
        import httpx

        token, project = self._token()
        if not rest.startswith("projects/"):
            if not project:
                raise SecretError("gcp-sm: no project is set", "write gcp-sm:projects/PROJECT/secrets/NAME")
            rest = f"projects/{project}/secrets/{rest}"
        match = _NAME.fullmatch(rest)
        if match is None:
            raise SecretError("gcp-sm: its name does not fit", _GOOGLE_HINTS[400])
        location = f".{match[3]}.rep" if match[3] else ""
        endpoint = self._endpoint or f"https://secretmanager{location}.googleapis.com"
        name = quote(rest if match[4] else f"{rest}/versions/latest")
        try:
            reply = httpx.get(
                f"{endpoint}/v1/{name}:access",
                headers={"Authorization": f"Bearer {token}"},
                timeout=httpx.Timeout(10.0),
            )
        except httpx.HTTPError as error:
            raise SecretError(
                f"gcp-sm failed ({type(error).__name__})", "the service cannot be reached from here"
            ) from None
        if reply.status_code != 200:
            raise SecretError(f"gcp-sm failed (HTTP {reply.status_code})", _GOOGLE_HINTS.get(reply.status_code, ""))
        return _payload(reply.json())


def _payload(document: Any) -> str:
    payload = document["payload"]
    data = base64.b64decode(payload["data"], validate=True)
    if "dataCrc32c" in payload and int(payload["dataCrc32c"]) != _crc32c(data):
        raise SecretError("gcp-sm: it was damaged on its way", "try again")
    return data.decode("utf-8")


def _application_default() -> tuple[str, str | None]:
    import google.auth
    import google.auth.transport.requests
    from google.auth.exceptions import GoogleAuthError

    try:
        credentials, project = google.auth.default(scopes=[_SCOPE])
        credentials.refresh(google.auth.transport.requests.Request())  # type: ignore[no-untyped-call]
    except GoogleAuthError as error:
        hint = "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS"
        raise SecretError(f"gcp-sm: there is no login ({type(error).__name__})", hint) from None
    return str(credentials.token), project


def _crc32c(data: bytes) -> int:
    """Return the checksum that Google sends along (Castagnoli)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
