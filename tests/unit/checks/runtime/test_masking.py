"""Passwords stay out of what people read."""

from __future__ import annotations

import pytest

from switchover_checks.masking import redact_url_passwords


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://harena:s3cret@rds.internal/harena",
        "cannot reach https://u:s3cret@h:8443/x?y=1, twice https://u:s3cret@h/",
        "postgresql://u:a@s3cret@h/db",
        "http://h/?password=s3cret&x=1",
        "dbname=x password=s3cret host=h",
        "https://h/?api_key=s3cret",
        "redis://:s3cret@h/0",
    ],
)
def test_a_password_in_a_url_is_masked(text: str) -> None:
    assert "s3cret" not in redact_url_passwords(text)
    assert "***" in redact_url_passwords(text)


@pytest.mark.parametrize("text", ["http://h:8080/path@2", "a plain text", "postgresql://user@h/db", "time 12:30@noon"])
def test_what_holds_no_password_stays_as_it_is(text: str) -> None:
    assert redact_url_passwords(text) == text
