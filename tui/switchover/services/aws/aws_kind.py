"""`aws`: a resource of AWS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from switchover.services.cloud_refs import cloud_ref
from switchover.services.examination import Examination, home_of
from switchover.services.provider_api import ServiceTarget
from switchover.services.service_kind import ServiceKind

__all__ = ["AwsKind"]


class AwsKind(ServiceKind):
    """A resource."""

    kind: ClassVar[str] = "aws"
    maker: ClassVar[str] = "aws_provider:AwsProvider"
    all_of: ClassVar[tuple[str, ...]] = ("resource", "id")
    besides: ClassVar[tuple[str, ...]] = ("region",)
    resources: ClassVar[tuple[str, ...]] = ("ec2", "ebs", "rds", "elasticache")
    of_side: ClassVar[tuple[str, ...]] = ("region",)
    rank: ClassVar[int] = 6
    label: ClassVar[str] = "AWS"
    list_every_s: ClassVar[float] = 60.0
    emits_late: ClassVar[bool] = True
    logs_unasked: ClassVar[bool] = False
    doctor_name: ClassVar[str] = "aws"

    def ref_of(self, target: ServiceTarget) -> str:
        """Return the resource with its place: both sides of a migration may have one of the same name."""
        return cloud_ref(target)

    def examine(self, environ: Mapping[str, str], system: Path) -> Examination:
        """Say whether credentials are there."""
        if environ.get("AWS_ACCESS_KEY_ID"):
            return Examination("aws", "ok", "credentials in the environment (not tried)")
        for name in ("AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
            if environ.get(name):
                return Examination("aws", "ok", f"credentials named by {name} (not tried)")
        path = Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or home_of(environ) / ".aws/credentials")
        if path.exists():
            return Examination("aws", "ok", f"credentials in {path} (not tried)")
        return Examination(
            "aws", "off", "no credentials found", "run `aws configure` or set AWS_PROFILE, where it is wanted"
        )
