"""Who acts, as far as the kernel vouches for it."""

import os
import subprocess
import sys

import pytest


def test_in_a_user_namespace_nobody_vouches_for_an_account() -> None:
    code = "from switchover.migration.facts.operator import Operator; print(Operator.current().uid)"
    outside = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    inside = subprocess.run(
        ["unshare", "-r", sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False
    )
    if inside.returncode != 0:
        pytest.skip("no user namespaces here")
    assert (outside.stdout.strip(), inside.stdout.strip()) == (str(os.getuid()), "None")
