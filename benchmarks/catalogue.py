"""How long 1,300 services with three checks each take to load from 40 files. Budget: 1 s."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import yaml

from benchmarks.table import Row, spread, times
from monitor.config.load import load

FILES, SERVICES, BUDGET_S, RUNS = 40, 1300, 1.0, 5

COMMON = """
languages: [ar, en]
zone: Asia/Dubai
profiles:
  standard: {every_s: 30, within_s: 10, objective_ms: 1500}
systems:
  - {slug: identity, name: {en: Sign-in, ar: تسجيل الدخول}, url: "https://id.example/health"}
  - {slug: notices, name: {en: Notices, ar: الإشعارات}, url: "https://sms.example/health"}
"""

SERVICE = """
  - slug: service-{n}
    name: {{en: Service number {n}, ar: الخدمة رقم {n}}}
    channels:
      - kind: web
        url: https://s{n}.example/
        profile: standard
        checks:
          - http: {{url: "https://s{n}.example/health", text_present: [Welcome], redirects: 3}}
          - name: certificate
            tls: {{host: s{n}.example, certificate_days_soft: 21}}
            every_s: 300
          - name: record
            dns: {{name: s{n}.example}}
            every_s: 60
        depends: [identity, {{system: notices, effect: slows}}]
"""


def write(folder: Path) -> None:
    """The files of a whole government."""
    (folder / "monitor.yaml").write_text(COMMON, encoding="utf-8")
    (folder / "services").mkdir()
    for file in range(FILES):
        name = f"{{en: Entity {file}, ar: الجهة {file}}}"
        entity = f"entities: [{{slug: entity-{file}, name: {name}}}]\nentity: entity-{file}\n"
        services = "".join(SERVICE.format(n=n) for n in range(file, SERVICES, FILES))
        text = f"{entity}services:{services}"
        (folder / "services" / f"{file:02}.yaml").write_text(text, encoding="utf-8")


def rows(quick: bool) -> list[Row]:
    """The row of the budget table."""
    runs = 3 if quick else 2 * RUNS
    took_s, parsed_s = [], []
    with tempfile.TemporaryDirectory() as name:
        write(Path(name))
        for _ in range(runs):
            began = time.perf_counter()
            load(Path(name))
            took_s.append(time.perf_counter() - began)
            began = time.perf_counter()
            for file in sorted(Path(name).rglob("*.yaml")):
                yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
            parsed_s.append(time.perf_counter() - began)
    middle_s = statistics.median(took_s)
    return [
        Row(
            what=f"catalogue of {SERVICES:,} services × 3 checks loads",
            budget=f"≤ {BUDGET_S:g} s",
            measured=spread(took_s, "s"),
            baseline=f"libyaml alone {spread(parsed_s, 's')}, {times(middle_s, statistics.median(parsed_s))}",
            within=middle_s <= BUDGET_S,
            note=f"from {FILES + 1} files, every rule checked",
        )
    ]


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        write(Path(name))
        took_s, cpu_s = [], []
        for _ in range(RUNS):
            began, began_cpu = time.perf_counter(), time.process_time()
            loaded = load(Path(name))
            took_s.append(time.perf_counter() - began)
            cpu_s.append(time.process_time() - began_cpu)
    assert len(loaded.catalogue.checks) == SERVICES * 3 + 2
    middle_s = sorted(took_s)[RUNS // 2]
    print(
        f"catalogue: {SERVICES} services, {len(loaded.catalogue.checks)} checks, {FILES + 1} files: "
        f"{middle_s:.2f} s (median of {RUNS}, worst {max(took_s):.2f}; "
        f"{sorted(cpu_s)[RUNS // 2]:.2f} s of CPU), budget {BUDGET_S:g} s"
    )
    return 0 if middle_s <= BUDGET_S else 1


if __name__ == "__main__":
    sys.exit(main())
