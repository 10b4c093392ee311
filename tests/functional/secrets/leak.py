"""Prints the environment variables NAME… in every form that programs use, in awkward pieces; then ends as asked."""

from __future__ import annotations

import base64
import html
import json
import os
import sys
import time
from urllib.parse import quote, quote_plus


def forms(value: str) -> list[str]:
    raw = value.encode()
    return [
        value,
        f"user:{value}@host",
        *value.splitlines(),
        *(base64.b64encode(b"x" * shift + raw + b"y").decode() for shift in range(3)),
        *(base64.urlsafe_b64encode(b"x" * shift + raw + b"yz").decode() for shift in range(3)),
        base64.encodebytes(b"words before it so that it is wrapped inside " + raw * 3).decode(),
        quote(value, safe=""),
        quote(value).lower(),
        quote_plus(value),
        json.dumps({"password": value}),
        json.dumps({"nested": json.dumps({"password": value})}),
        "".join(f"\\u{ord(character):04x}" for character in value),
        repr(value),
        repr(raw),
        html.escape(value),
        raw.hex(),
        raw.hex().upper(),
        raw.hex(":"),
    ]


def main() -> int:
    how, *names = sys.argv[1:]
    values = [os.environ[name] for name in names]
    for name, value in zip(names, values, strict=True):
        for form in forms(value):
            print(form)
            print(form, file=sys.stderr)
        sys.stdout.flush()
        for character in value:  # each character in a chunk of its own
            os.write(1, character.encode())
        os.write(1, b"\n")
        half = len(value) // 2
        os.write(1, value[:half].encode())
        time.sleep(0.05)  # so that the halves are read apart
        os.write(1, value[half:].encode() + b"\n")
        print(f"OUT_{name}={value.splitlines()[0]}")
    if how == "raise":
        raise RuntimeError(f"cannot log in with {values}")
    return {"ok": 0, "fail": 3}[how]


if __name__ == "__main__":
    sys.exit(main())
