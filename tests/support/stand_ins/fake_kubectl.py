"""A stand-in for `kubectl`: a program on PATH that answers what a test laid down, as the real one writes it.

What it says on standard error is what kubectl 1.32 says; `tests/real/services/test_kubernetes_api.py` asks a real one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

__all__ = ["FORBIDDEN", "NO_CONTEXT", "REFUSED", "UNKNOWN_NAME", "StandInKubectl", "deployment", "pod"]

REFUSED = (
    'E1120 18:37:21.604729 11197 memcache.go:265] "Unhandled Error" err="couldn\'t get current server API group list: '
    'Get \\"http://localhost:8080/api?timeout=32s\\": dial tcp 127.0.0.1:8080: connect: connection refused"\n'
    "The connection to the server localhost:8080 was refused - did you specify the right host or port?\n"
)
UNKNOWN_NAME = "Unable to connect to the server: dial tcp: lookup nowhere.invalid on 10.0.0.53:53: no such host\n"
NO_CONTEXT = "Error in configuration: context was not found for specified context: nope\n"
FORBIDDEN = (
    'Error from server (Forbidden): {kind} is forbidden: User "operator" cannot {verb} resource "{resource}" '
    'in API group "apps" {where}\n'
)

_PROGRAM = """#!{python} -SE
import json, os, sys, time
folder = {folder!r}
words = sys.argv[1:]
with open(folder + "/calls", "a") as calls:
    calls.write(json.dumps(words) + "\\n")
bare = [word for word in words if not word.startswith("-")]
if "--watch" in words:
    key = "watch " + bare[1]
else:
    key = " ".join(bare[:2])
if any(word == "--all-namespaces" for word in words) and os.path.exists(folder + "/" + key + " everywhere"):
    key += " everywhere"
try:
    with open(folder + "/" + key.replace("/", ":")) as file:
        answer = json.load(file)
except FileNotFoundError:
    sys.exit("error: the stand-in was told nothing of " + key)
sys.stdout.write(answer["stdout"])
sys.stdout.flush()
sys.stderr.write(answer["stderr"])
sys.stderr.flush()
if answer["hang"]:
    os.fork()  # what it started, a login plugin perhaps, hangs too
    time.sleep(600)
sys.exit(answer["code"])
"""


class StandInKubectl:
    """The program in a folder of its own. `environment` leads to it and to a kubeconfig that is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "kubectl"
        program.write_text(_PROGRAM.format(python=sys.executable, folder=str(folder)))
        program.chmod(0o755)
        (folder / "kubeconfig").write_text("{}")
        self.environment = {"PATH": str(folder), "HOME": str(folder), "KUBECONFIG": str(folder / "kubeconfig")}
        self.answer("config view", "here\nshop")

    def answer(self, call: str, stdout: str = "", *, stderr: str = "", code: int = 0, hang: bool = False) -> None:
        """Lay down what a call (`get deployments.apps,pods`, `watch pods`, `scale deployment/api`) is answered."""
        said = {"stdout": stdout, "stderr": stderr, "code": code, "hang": hang}
        temporary = self.folder / "new"
        temporary.write_text(json.dumps(said))
        temporary.replace(self.folder / call.replace("/", ":"))

    def listing(self, *items: dict[str, Any], everywhere: bool = False, stderr: str = "", code: int = 0) -> None:
        """Lay down which deployments and pods there are."""
        document = {"apiVersion": "v1", "kind": "List", "items": items}
        call = "get deployments.apps,pods" + (" everywhere" if everywhere else "")
        self.answer(call, json.dumps(document, indent=4), stderr=stderr, code=code)

    def calls(self) -> list[list[str]]:
        """Return the words of each call so far."""
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def deployment(
    name: str = "api",
    *,
    namespace: str = "shop",
    wanted: int = 2,
    ready: int = 2,
    image: str = "shop/api:1",
    **more: Any,
) -> dict[str, Any]:
    """Return a deployment as the API writes it. `more` goes into its status."""
    container = {"name": "api", "image": image}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{name}",
            "generation": 1,
            "annotations": {"deployment.kubernetes.io/revision": "1"},
        },
        "spec": {
            "replicas": wanted,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
        "status": {"observedGeneration": 1, "readyReplicas": ready, "updatedReplicas": wanted, **more},
    }


def pod(name: str = "api", *, namespace: str = "shop", number: str = "x1", **container: Any) -> dict[str, Any]:
    """Return a pod of the deployment `name`. `container` goes into the status of its one container."""
    status = {"name": "api", "ready": True, "restartCount": 0, **container}
    status.setdefault("state", {"running": {"startedAt": "2026-01-31T14:02:31Z"}})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{name}-5d-{number}",
            "namespace": namespace,
            "labels": {"app": name, "pod-template-hash": "5d"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": f"{name}-5d"}],
        },
        "spec": {"containers": [{"name": "api", "image": "shop/api:1"}]},
        "status": {"phase": "Running", "startTime": "2026-01-31T14:02:30Z", "containerStatuses": [status]},
    }
