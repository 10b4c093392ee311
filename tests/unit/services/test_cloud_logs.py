from __future__ import annotations

import pytest

from switchover.services.cloud_logs import cloud_log_source


def test_a_log_group_and_a_filter_are_told_from_files() -> None:
    group = cloud_log_source("api", "cloudwatch:/shop/api/one", region="eu-west-1")
    assert group is not None
    assert (group.kind, dict(group.options)) == ("cloudwatch", {"log": "/shop/api/one", "region": "eu-west-1"})
    wanted = cloud_log_source("api", 'gcp:resource.type="x" AND severity>=ERROR', project="shop")
    assert wanted is not None
    assert dict(wanted.options) == {"filter": 'resource.type="x" AND severity>=ERROR', "project": "shop"}


@pytest.mark.parametrize("text", ["/var/log/app.log", "C:/x", "cloudwatch:", "gcp: ", "app.log"])
def test_anything_else_is_a_file(text: str) -> None:
    assert cloud_log_source("api", text) is None
