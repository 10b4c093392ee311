"""AWS through boto3, which is imported in a thread on first use. Nothing is asked of the network to find a login.

An instance's role is used only where that is said: `credential_source` of a profile, AWS_EC2_METADATA_DISABLED=false.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from switchover.clouds.cloud_errors import CloudError, CloudTrouble
from switchover.redaction import sanitize
from switchover_checks.runtime.threads import Threads

__all__ = ["Aws", "in_words"]

T = TypeVar("T")

_CONNECT_S, _READ_S, _ATTEMPTS = 2.0, 4.0, 2
_LOGINS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_EXPIRED = "the login has expired; log in again"
_NOT_VALID = "the credentials are not valid here"
_CODES: dict[str, tuple[CloudTrouble, str]] = {
    "ExpiredToken": (CloudTrouble.LOGIN, _EXPIRED),
    "ExpiredTokenException": (CloudTrouble.LOGIN, _EXPIRED),
    "RequestExpired": (CloudTrouble.LOGIN, "the login has expired, or this machine's clock is wrong"),
    "UnrecognizedClientException": (CloudTrouble.LOGIN, _NOT_VALID),
    "InvalidClientTokenId": (CloudTrouble.LOGIN, _NOT_VALID),
    "AuthFailure": (CloudTrouble.LOGIN, _NOT_VALID),
    "SignatureDoesNotMatch": (CloudTrouble.LOGIN, _NOT_VALID),
    "OptInRequired": (CloudTrouble.DENIED, "this account may not use the region"),
}
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized")
_THROTTLED = ("Throttl", "RequestLimitExceeded", "TooManyRequests", "SlowDown")
_LIBRARY: dict[str, tuple[CloudTrouble, str]] = {
    "NoCredentialsError": (CloudTrouble.LOGIN, "no credentials; log in, or set AWS_PROFILE"),
    "PartialCredentialsError": (CloudTrouble.LOGIN, "the credentials are not complete"),
    "CredentialRetrievalError": (CloudTrouble.LOGIN, "the credentials cannot be had; log in again"),
    "UnauthorizedSSOTokenError": (CloudTrouble.LOGIN, "the login has expired; run `aws sso login`"),
    "SSOTokenLoadError": (CloudTrouble.LOGIN, "nobody is logged in; run `aws sso login`"),
    "TokenRetrievalError": (CloudTrouble.LOGIN, "the login has expired; run `aws sso login`"),
    "ProfileNotFound": (CloudTrouble.LOGIN, "AWS_PROFILE names no profile that there is"),
    "NoRegionError": (CloudTrouble.OTHER, "no region; set AWS_REGION"),
    "EndpointConnectionError": (CloudTrouble.AWAY, "it cannot be reached from here"),
    "ConnectTimeoutError": (CloudTrouble.AWAY, "it does not answer"),
    "ReadTimeoutError": (CloudTrouble.AWAY, "it does not answer"),
    "ConnectionClosedError": (CloudTrouble.AWAY, "it closed the connection"),
    "ProxyConnectionError": (CloudTrouble.AWAY, "the proxy cannot be reached"),
    "SSLError": (CloudTrouble.AWAY, "its certificate is not trusted (AWS_CA_BUNDLE)"),
}


class Aws:
    """Makes clients and runs calls with them, each in a thread. `environment` (None: this process's) is for tests."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self._threads = Threads(most=16)
        self._lock = threading.Lock()
        self._session: Any = None
        self._clients: dict[tuple[str, str], Any] = {}

    def missing(self) -> str:
        """Say why nobody is logged in; empty where somebody may be. Reads the environment, looks for files."""
        known = self._environment
        home = Path(known.get("HOME", "/"))
        files = (
            Path(known.get("AWS_SHARED_CREDENTIALS_FILE", home / ".aws/credentials")),
            Path(known.get("AWS_CONFIG_FILE", home / ".aws/config")),
        )
        if any(known.get(name) for name in _LOGINS) or any(path.is_file() for path in files) or self._may_ask_host():
            return ""
        return "AWS: no credentials configured (AWS_PROFILE, AWS_ACCESS_KEY_ID)"

    def region(self) -> str:
        """Return the region that is configured, else nothing."""
        known = self._environment
        return known.get("AWS_REGION") or known.get("AWS_DEFAULT_REGION") or _region_of_profile(known)

    def _may_ask_host(self) -> bool:
        return self._environment.get("AWS_EC2_METADATA_DISABLED", "").lower() == "false"

    async def call(self, service: str, region: str, work: Callable[[Any], T]) -> T:
        """Run `work` with a client. Raise `CloudError`."""
        return await self._threads.run(lambda: self.call_here(service, region, work))

    def call_here(self, service: str, region: str, work: Callable[[Any], T]) -> T:
        """Run `work` with a client, in this thread. Raise `CloudError`."""
        try:
            return work(self._client(service, region))
        except CloudError:
            raise
        except Exception as error:  # botocore lets those of urllib3, of XML and of plugins through
            raise in_words(service, error) from None

    def _client(self, service: str, region: str) -> Any:
        from botocore.config import Config

        with self._lock:  # sessions may not make two clients at a time
            known = self._clients.get((service, region))
            if known is not None:
                return known
            if self._session is None:
                self._session = self._login()
            bounded = Config(
                connect_timeout=_CONNECT_S,
                read_timeout=_READ_S,
                retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
                max_pool_connections=16,
            )
            client = self._session.client(service, region_name=region or None, config=bounded)
            self._clients[service, region] = client
            return client

    def _login(self) -> Any:
        import boto3
        import botocore.session

        session = botocore.session.Session()
        if not self._may_ask_host():
            session.get_component("credential_provider").remove("iam-role")
        return boto3.session.Session(botocore_session=session)


def _region_of_profile(known: Mapping[str, str]) -> str:
    """Read the region of the profile in use from its file. The SDK is too heavy for that alone."""
    import configparser

    path = Path(known.get("AWS_CONFIG_FILE", Path(known.get("HOME", "/")) / ".aws/config"))
    name = known.get("AWS_PROFILE") or known.get("AWS_DEFAULT_PROFILE") or "default"
    parser = configparser.RawConfigParser()
    try:
        parser.read(path)
    except (configparser.Error, OSError, UnicodeDecodeError):
        return ""
    section = name if name == "default" else f"profile {name}"
    return parser.get(section, "region", fallback="")


def in_words(service: str, error: Exception) -> CloudError:
    """Return the error in words. What AWS writes itself is not repeated where it may name accounts and keys."""
    from botocore.exceptions import ClientError

    name = type(error).__name__
    if not isinstance(error, ClientError):
        trouble, why = _LIBRARY.get(name, (CloudTrouble.OTHER, f"it failed ({name})"))
        return CloudError(trouble, f"AWS {service}: {why}")
    code = str(error.response.get("Error", {}).get("Code", "")) or "no code"
    operation = f"{service}:{error.operation_name}"
    if code in _CODES:
        return CloudError(_CODES[code][0], f"AWS {service}: {_CODES[code][1]}")
    if code in _DENIED:
        return CloudError(CloudTrouble.DENIED, f"AWS: {operation} is not allowed", f"allow {operation} in the role")
    if code.startswith(_THROTTLED):
        return CloudError(CloudTrouble.THROTTLED, f"AWS {service}: asked too often; it is asked less often for a while")
    said = sanitize(str(error.response.get("Error", {}).get("Message", ""))).split("\n")[0][:140]
    if "NotFound" in code or code.startswith("NoSuch") or code == "404":
        return CloudError(CloudTrouble.MISSING, f"AWS {service}: {said or 'there is none of that name'}")
    if int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500:
        return CloudError(CloudTrouble.AWAY, f"AWS {service}: it fails on its side ({code[:40]})")
    return CloudError(CloudTrouble.OTHER, f"AWS {operation} failed: {said or code[:60]}")
