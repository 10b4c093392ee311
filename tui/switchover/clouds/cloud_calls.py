"""Single questions to clouds: by the login that is configured, bounded in time, answered with plain values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from switchover.clouds.cloud_errors import CloudError, CloudTrouble

if TYPE_CHECKING:
    from switchover.clouds.aws_login import Aws
    from switchover.clouds.google_login import Google
    from switchover.clouds.google_metrics import GoogleMetrics

__all__ = ["CloudCalls"]

_MOST_PAGES = 20
_MOST_BODY = 64 << 10


class CloudCalls:
    """Asks AWS and Google Cloud. `environment` (None: this process's own) says by which login."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = environment

    @cached_property
    def _aws(self) -> Aws:
        from switchover.clouds.aws_login import Aws

        return Aws(self._environment)

    @cached_property
    def _google(self) -> Google:
        from switchover.clouds.google_login import Google

        return Google(self._environment)

    @cached_property
    def _metrics(self) -> GoogleMetrics:
        from switchover.clouds.google_metrics import GoogleMetrics

        return GoogleMetrics(self._environment)

    async def ask(
        self, provider: str, api: str, operation: str, params: Mapping[str, Any], region: str
    ) -> Mapping[str, Any]:
        """Return what one operation answers. Raise `CloudError`.

        Of AWS `operation` is the SDK's. Of Google it is `GET /path`, or `time_series` of the API `monitoring`.
        """
        if provider == "aws":
            if why := self._aws.missing():
                raise CloudError(CloudTrouble.LOGIN, why)
            return await self._aws.call(
                api, region or self._aws.region(), lambda client: _called(client, operation, params)
            )
        if why := self._google.missing():
            raise CloudError(CloudTrouble.LOGIN, why)
        project = str(params.get("project") or "") or self._google.project()
        if not project and "{project}" in operation:
            raise CloudError(CloudTrouble.OTHER, "Google Cloud: no project; set project, or GOOGLE_CLOUD_PROJECT")
        if api == "monitoring":
            return await self._metrics.time_series({**params, "project": project})
        method, _, path = operation.partition(" ")
        place = region or self._google.region()
        if not place and "{region}" in path:
            raise CloudError(CloudTrouble.OTHER, "Google Cloud: no region; set region, or GOOGLE_CLOUD_REGION")
        filled = path.replace("{project}", project).replace("{region}", place)
        asked = {k: str(v) for k, v in params.items() if k != "project"}
        return await self._google.ask(api, method, filled, parameters=asked)

    async def aclose(self) -> None:
        """Close the connections."""
        if "_google" in self.__dict__:
            await self._google.aclose()
        if "_metrics" in self.__dict__:
            await self._metrics.aclose()


def _called(client: Any, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Call an operation, all its pages where it has several."""
    method = getattr(client, operation, None)
    if method is None:
        raise CloudError(CloudTrouble.OTHER, f"AWS: there is no operation {operation}")
    if not client.can_paginate(operation):
        return _plain(method(**params))
    whole: dict[str, Any] = {}
    for number, page in enumerate(client.get_paginator(operation).paginate(**params)):
        for key, value in _plain(page).items():
            if isinstance(value, list) and isinstance(whole.get(key), list):
                whole[key] += value
            else:
                whole.setdefault(key, value)
        if number + 1 >= _MOST_PAGES:
            whole["Truncated"] = True
            break
    return whole


def _plain(answer: Any) -> dict[str, Any]:
    """Leave out what is no value; a small body is text."""
    told = {key: value for key, value in dict(answer).items() if key not in ("ResponseMetadata", "Body")}
    if (body := answer.get("Body")) is not None:
        told["Body"] = body.read(_MOST_BODY).decode("utf-8", "replace")
        body.close()
    return told
