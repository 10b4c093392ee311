"""Google Cloud's REST APIs through httpx, logged in by google-auth. Nothing is asked of the network to find a login.

The login is that of the application default credentials: GOOGLE_APPLICATION_CREDENTIALS, else gcloud's file. The
metadata server is asked only where GCE_METADATA_HOST names it. An API's address can be replaced as gcloud's is, by
CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN and its like.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from switchover.clouds.cloud_errors import CloudError, CloudTrouble
from switchover.redaction import sanitize
from switchover_checks.runtime.threads import Threads

if TYPE_CHECKING:
    import httpx

__all__ = ["Google"]

_TIMEOUT_S = 4.0
_MOST_PAGES = 20
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_APIS = {
    "run": ("Cloud Run", "https://run.googleapis.com"),
    "sql": ("Cloud SQL", "https://sqladmin.googleapis.com"),
    "redis": ("Memorystore", "https://redis.googleapis.com"),
    "pubsub": ("Pub/Sub", "https://pubsub.googleapis.com"),
    "logging": ("Cloud Logging", "https://logging.googleapis.com"),
}
_PERMISSION = re.compile(r"[Pp]ermission '?([a-z]+\.[\w.]+)'?")


class Google:
    """Asks, with one login for all. `environment` (None: this process's own) says which."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self._threads = Threads(most=8)
        self._lock = asyncio.Lock()
        self._credentials: Any = None
        self._client: httpx.AsyncClient | None = None

    def missing(self) -> str:
        """Say why nobody is logged in, empty where somebody may be. Looks for files."""
        known = self._environment
        if named := known.get("GOOGLE_APPLICATION_CREDENTIALS"):
            there = Path(named).is_file()
            return "" if there else "Google Cloud: GOOGLE_APPLICATION_CREDENTIALS names no file that is there"
        if self._file().is_file() or known.get("GCE_METADATA_HOST"):
            return ""
        return "Google Cloud: no login (GOOGLE_APPLICATION_CREDENTIALS, gcloud auth application-default login)"

    def project(self) -> str:
        """Return the project that is configured, else nothing."""
        known = self._environment
        if named := known.get("GOOGLE_CLOUD_PROJECT") or known.get("CLOUDSDK_CORE_PROJECT"):
            return named
        try:
            said = json.loads(self._file().read_bytes())
        except (OSError, ValueError):
            return ""
        return str(said.get("project_id") or said.get("quota_project_id") or "") if isinstance(said, dict) else ""

    def region(self) -> str:
        """Return the region that is configured, else nothing."""
        names = ("GOOGLE_CLOUD_REGION", "CLOUDSDK_RUN_REGION", "CLOUDSDK_COMPUTE_REGION")
        return next((self._environment[name] for name in names if self._environment.get(name)), "")

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def pages(self, api: str, path: str, key: str, **parameters: str) -> list[dict[str, Any]]:
        """Return what all pages hold under `key`, up to a bound. Raise `CloudError`."""
        found: list[dict[str, Any]] = []
        for _ in range(_MOST_PAGES):
            page = await self.ask(api, "GET", path, parameters=parameters)
            found += [one for one in page.get(key) or () if isinstance(one, dict)]
            if not page.get("nextPageToken"):
                break
            parameters["pageToken"] = str(page["nextPageToken"])
        return found

    async def ask(
        self,
        api: str,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: object = None,
    ) -> dict[str, Any]:
        """Return the JSON object that an API answers. Raise `CloudError`."""
        import httpx

        title, usual = _APIS[api]
        base = self._environment.get(f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{api.upper()}") or usual
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=_TIMEOUT_S)
        for attempt in (1, 2):
            headers = await self._headers(renew=attempt == 2)
            try:
                answer = await self._client.request(
                    method, f"{base.rstrip('/')}{path}", params=dict(parameters or {}), headers=headers, json=body
                )
            except httpx.TimeoutException:
                raise CloudError(CloudTrouble.AWAY, f"{title}: it does not answer") from None
            except (httpx.HTTPError, httpx.InvalidURL, OSError):
                raise CloudError(CloudTrouble.AWAY, f"{title}: it cannot be reached from here") from None
            if answer.status_code != 401:  # then the login may have been taken back early: a new one, once
                break
        try:
            said = answer.json()
        except ValueError:
            said = None
        if answer.status_code != 200:
            raise in_words(title, answer.status_code, said)
        if not isinstance(said, dict):
            raise CloudError(CloudTrouble.OTHER, f"{title}: its answer cannot be read")
        return said

    async def _headers(self, *, renew: bool) -> dict[str, str]:
        async with self._lock:
            if self._credentials is None or renew or not self._credentials.valid:
                await self._threads.run(self._log_in)
            headers = {"Authorization": f"Bearer {self._credentials.token}"}
            if project := getattr(self._credentials, "quota_project_id", None):
                headers["x-goog-user-project"] = str(project)
            return headers

    def _log_in(self) -> None:
        import google.auth
        import google.auth.transport.requests
        from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError

        ask = google.auth.transport.requests.Request()

        def bounded(*words: Any, **more: Any) -> Any:
            return ask(*words, **{**more, "timeout": _TIMEOUT_S})

        try:
            if self._credentials is None:
                self._credentials = self._load()
            self._credentials.refresh(bounded)
        except TransportError:
            raise CloudError(CloudTrouble.AWAY, "Google Cloud: the login cannot be reached from here") from None
        except RefreshError:
            words = "Google Cloud: the login is not valid any more"
            raise CloudError(CloudTrouble.LOGIN, words, "run `gcloud auth application-default login`") from None
        except (GoogleAuthError, OSError, ValueError, KeyError) as error:
            raise CloudError(
                CloudTrouble.LOGIN, f"Google Cloud: the login cannot be used ({type(error).__name__})"
            ) from None

    def _load(self) -> Any:
        path = self._file()
        if not path.is_file():
            from google.auth import compute_engine

            return compute_engine.Credentials()  # type: ignore[no-untyped-call]
        from google.oauth2 import credentials, service_account

        said = json.loads(path.read_bytes())
        match said.get("type"):
            case "service_account":
                return service_account.Credentials.from_service_account_info(said, scopes=[_SCOPE])  # type: ignore[no-untyped-call]
            case "authorized_user":
                return credentials.Credentials.from_authorized_user_info(said, scopes=[_SCOPE])  # type: ignore[no-untyped-call]
        import google.auth  # federated and borrowed identities: it knows how, and finds the same file

        return google.auth.default(scopes=[_SCOPE])[0]

    def _file(self) -> Path:
        known = self._environment
        if named := known.get("GOOGLE_APPLICATION_CREDENTIALS"):
            return Path(named)
        home = Path(known.get("CLOUDSDK_CONFIG") or Path(known.get("HOME", "/")) / ".config/gcloud")
        return home / "application_default_credentials.json"


def in_words(title: str, status: int, said: Any) -> CloudError:
    """Return the error in words, from the status and Google's error body."""
    error = said.get("error") if isinstance(said, dict) else None
    error = error if isinstance(error, dict) else {}
    details = [one for one in error.get("details") or () if isinstance(one, dict)]
    reasons = {str(one.get("reason", "")) for one in details}
    message = sanitize(str(error.get("message", ""))).split("\n")[0][:140]
    if status == 401:
        hint = "run `gcloud auth application-default login`"
        return CloudError(CloudTrouble.LOGIN, f"{title}: the login is not valid any more", hint)
    if status == 403 and "SERVICE_DISABLED" in reasons:
        return CloudError(CloudTrouble.DENIED, f"{title}: its API is not enabled in the project")
    if status == 403:
        found = _PERMISSION.search(message)
        what = found[1] if found else "to look there"
        return CloudError(
            CloudTrouble.DENIED, f"{title}: {what} is not allowed" if found else f"{title}: not allowed {what}"
        )
    if status == 404:
        return CloudError(CloudTrouble.MISSING, f"{title}: there is no such project, place or thing")
    if status == 429:
        return CloudError(CloudTrouble.THROTTLED, f"{title}: asked too often; it is asked less often for a while")
    if status >= 500:
        return CloudError(CloudTrouble.AWAY, f"{title}: it fails on its side (HTTP {status})")
    return CloudError(CloudTrouble.OTHER, f"{title}: {message or f'it answers HTTP {status}'}")
