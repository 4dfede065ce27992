"""What is checked in under dashboards/generated/ is what the code makes, file by file."""

from __future__ import annotations

from dashboards.build import GENERATED, built


def test_what_is_checked_in_is_what_the_code_makes() -> None:
    checked_in = {
        str(path.relative_to(GENERATED)): path.read_text("utf-8")
        for path in GENERATED.rglob("*")
        if path.is_file()
    }
    assert checked_in == built(), "run `make dashboards` and look at the difference"
