"""Google Cloud Monitoring through its own library, which is imported in a thread on first use (250 ms)."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from switchover.clouds.cloud_errors import CloudError, CloudTrouble
from switchover_checks.runtime.threads import Threads

__all__ = ["GoogleMetrics"]

_TIMEOUT_S = 8.0
_MOST_SERIES = 200
_TITLE = "Cloud Monitoring"
_TROUBLE = {
    "PermissionDenied": (CloudTrouble.DENIED, "monitoring.timeSeries.list is not allowed"),
    "Unauthenticated": (CloudTrouble.LOGIN, "the login is not valid any more"),
    "NotFound": (CloudTrouble.MISSING, "there is no such project or metric"),
    "InvalidArgument": (CloudTrouble.OTHER, "it does not take the question"),
    "ResourceExhausted": (CloudTrouble.THROTTLED, "asked too often; it is asked less often for a while"),
    "TooManyRequests": (CloudTrouble.THROTTLED, "asked too often; it is asked less often for a while"),
    "DeadlineExceeded": (CloudTrouble.AWAY, "it does not answer"),
    "RetryError": (CloudTrouble.AWAY, "it does not answer"),
    "ServiceUnavailable": (CloudTrouble.AWAY, "it cannot be reached from here"),
    "DefaultCredentialsError": (CloudTrouble.LOGIN, "no login (gcloud auth application-default login)"),
    "RefreshError": (CloudTrouble.LOGIN, "the login is not valid any more"),
}


class GoogleMetrics:
    """Reads time series. `CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING=http://HOST:PORT` leads to another server."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self._threads = Threads(most=4)
        self._client: Any = None

    async def time_series(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return `series`: each with `labels`, `kind` and its points, newest first. Raise `CloudError`."""
        return await self._threads.run(lambda: self._read(params))

    async def aclose(self) -> None:
        """Close the connection; another question opens it again."""
        client, self._client = self._client, None
        if client is not None:
            await self._threads.run(client.transport.close)

    def _read(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            if self._client is None:
                self._client = self._connect()
            return {"series": self._series(params)}
        except Exception as error:  # the library lets those of gRPC and of logins through
            trouble, why = _TROUBLE.get(
                type(error).__name__, (CloudTrouble.OTHER, f"it failed ({type(error).__name__})")
            )
            said = str(getattr(error, "message", "")).split("\n")[0][:140]
            words = f"{why}: {said}" if type(error).__name__ == "InvalidArgument" and said else why
            raise CloudError(trouble, f"{_TITLE}: {words}") from None

    def _connect(self) -> Any:
        from google.cloud import monitoring_v3

        other = self._environment.get("CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING", "")
        if not other:
            return monitoring_v3.MetricServiceClient()
        import grpc
        from google.cloud.monitoring_v3.services.metric_service.transports import MetricServiceGrpcTransport

        channel = grpc.insecure_channel(other.rpartition("//")[2].rstrip("/"))
        return monitoring_v3.MetricServiceClient(transport=MetricServiceGrpcTransport(channel=channel))

    def _series(self, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        from google.cloud import monitoring_v3

        end = int(time.time()) - int(params.get("delay", 0))
        request: dict[str, Any] = {
            "name": f"projects/{params['project']}",
            "filter": params["filter"],
            "interval": {"end_time": {"seconds": end}, "start_time": {"seconds": end - int(params["window"])}},
            "view": monitoring_v3.ListTimeSeriesRequest.TimeSeriesView.FULL,
        }
        if params.get("align"):
            request["aggregation"] = {
                "alignment_period": {"seconds": int(params["period"])},
                "per_series_aligner": f"ALIGN_{str(params['align']).upper()}",
                "cross_series_reducer": f"REDUCE_{str(params.get('reduce') or 'none').upper()}",
                "group_by_fields": list(params.get("group_by") or ()),
            }
        found = []
        for one in self._client.list_time_series(request=request, timeout=_TIMEOUT_S):
            labels = {**dict(one.resource.labels), **dict(one.metric.labels)}
            points = [[p.interval.end_time.timestamp(), _value(p.value)] for p in one.points]
            found.append({"labels": labels, "points": points})
            if len(found) >= _MOST_SERIES:
                break
        return found


def _value(value: Any) -> float | None:
    from google.cloud.monitoring_v3 import TypedValue

    which = TypedValue.pb(value).WhichOneof("value")
    if which in ("double_value", "int64_value", "bool_value"):
        return float(getattr(value, which))
    return float(value.distribution_value.mean) if which == "distribution_value" else None
