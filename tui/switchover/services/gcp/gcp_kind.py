"""`gcp`: a resource of Google Cloud."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from switchover.services.cloud_refs import cloud_ref
from switchover.services.examination import Examination, home_of
from switchover.services.provider_api import ServiceTarget
from switchover.services.service_kind import ServiceKind

__all__ = ["GcpKind"]


class GcpKind(ServiceKind):
    """A resource."""

    kind: ClassVar[str] = "gcp"
    maker: ClassVar[str] = "gcp_provider:GcpProvider"
    all_of: ClassVar[tuple[str, ...]] = ("resource", "id")
    besides: ClassVar[tuple[str, ...]] = ("region", "project")
    resources: ClassVar[tuple[str, ...]] = ("run", "sql", "memorystore", "pubsub")
    of_side: ClassVar[tuple[str, ...]] = ("project", "region")
    rank: ClassVar[int] = 7
    label: ClassVar[str] = "Google Cloud"
    list_every_s: ClassVar[float] = 60.0
    emits_late: ClassVar[bool] = True
    doctor_name: ClassVar[str] = "google"

    def ref_of(self, target: ServiceTarget) -> str:
        """Return the resource with its place: both sides of a migration may have one of the same name."""
        return cloud_ref(target)

    def examine(self, environ: Mapping[str, str], system: Path) -> Examination:
        """Say whether credentials are there."""
        named = environ.get("GOOGLE_APPLICATION_CREDENTIALS")
        path = Path(named or home_of(environ) / ".config/gcloud/application_default_credentials.json")
        if path.exists():
            return Examination("google", "ok", f"credentials in {path} (not tried)")
        text = f"GOOGLE_APPLICATION_CREDENTIALS names {path}, which is not there" if named else "no credentials found"
        return Examination("google", "off", text, "run `gcloud auth application-default login`, where it is wanted")
