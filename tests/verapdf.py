"""veraPDF, a validator of PDF/UA: one jar of Maven Central, fetched once, checked, run by our Java."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from jgo.maven import MavenContext

from monitor.demo import jars
from monitor.errors import MonitorError

VERSION = "1.28.2"
SHA256 = "687d4d8bcfec48c9f7e931cf78ed061f1eeccfba55d4cdc000ba9b4d8aa46ce6"
WITHIN_S = 300.0


def jar() -> Path:
    """The jar in the cache, fetched if need be. Raises MonitorError unless it is the one we know."""
    folder = jars.cache_folder().with_name(f"verapdf-{VERSION}")
    placed = folder / "verapdf.jar"
    with jars.locked(folder / "lock"):
        if not placed.is_file():
            project = MavenContext(repo_cache=folder / "fetched").project(
                "org.verapdf.apps", "greenfield-apps"
            )
            fetched = Path(project.at_version(VERSION).artifact().resolve())
            if hashlib.sha256(fetched.read_bytes()).hexdigest() != SHA256:
                raise MonitorError(f"{fetched} is not the veraPDF {VERSION} that the tests know")
            fetched.replace(placed)
            shutil.rmtree(folder / "fetched")
    return placed


def failed_rules(files: list[Path]) -> dict[str, list[str]]:
    """The rules of PDF/UA-1 that each file breaks, by its name: clause, test, what is asked, where first."""
    words = ["org.verapdf.apps.GreenfieldCliWrapper", "--flavour", "ua1", "--format", "json"]
    done = subprocess.run(
        [jars.java(), "-Xmx1g", "-cp", jar(), *words, *files],
        capture_output=True,
        timeout=WITHIN_S,
        check=False,  # 1 where a file breaks a rule
    )
    report = json.loads(done.stdout)["report"]
    return {Path(job["itemDetails"]["name"]).name: _failed(job) for job in report["jobs"]}


def _failed(job: dict[str, Any]) -> list[str]:
    [result] = job["validationResult"]  # not there where the file could not be read
    assert result["profileName"] == "PDF/UA-1 validation profile"
    assert result["details"]["passedChecks"] > 0
    return [
        f"{rule['clause']}/{rule['testNumber']}: {rule['description']} ({rule['checks'][0]['context']})"
        for rule in result["details"]["ruleSummaries"]
        if rule["ruleStatus"] == "FAILED"
    ]
