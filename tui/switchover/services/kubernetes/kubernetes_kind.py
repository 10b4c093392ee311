"""`kubernetes`: a deployment with its pods."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from switchover.services.examination import Examination, home_of
from switchover.services.provider_api import ServiceTarget
from switchover.services.service_kind import ServiceKind

__all__ = ["KubernetesKind"]


class KubernetesKind(ServiceKind):
    """A deployment."""

    kind: ClassVar[str] = "kubernetes"
    maker: ClassVar[str] = "kubernetes_provider:KubernetesProvider"
    any_of: ClassVar[tuple[str, ...]] = ("deployment",)
    besides: ClassVar[tuple[str, ...]] = ("namespace", "context")
    of_side: ClassVar[tuple[str, ...]] = ("context", "namespace")
    rank: ClassVar[int] = 5
    label: ClassVar[str] = "kubernetes"
    list_every_s: ClassVar[float] = 15.0
    doctor_name: ClassVar[str] = "kubectl"

    def ref_of(self, target: ServiceTarget) -> str:
        """Return namespace and name, with the context where one is named."""
        name = f"{target.namespace}/{target.deployment}" if target.namespace else target.deployment
        return f"{target.context}:{name}" if target.context else name

    def examine(self, environ: Mapping[str, str], system: Path) -> Examination:
        """Say whether kubectl is there, with a configuration."""
        program = shutil.which("kubectl", path=environ.get("PATH"))
        if program is None:
            return Examination("kubectl", "off", "kubectl is not installed", "install it, where Kubernetes is wanted")
        config = environ.get("KUBECONFIG") or str(home_of(environ) / ".kube/config")
        if not any(Path(part).exists() for part in config.split(":") if part):
            return Examination("kubectl", "off", f"{program}, but no configuration at {config}", "set KUBECONFIG")
        return Examination("kubectl", "ok", f"{program} with {config} (not tried)")
