"""The files of a catalogue into the model and the settings, or every mistake in all of them at once."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from monitor.config import alerts, delivery, objectives, rules, transactions
from monitor.config.decode import BAD, Reading, decode
from monitor.config.expand import Expander, Written
from monitor.config.form import CATALOGUE_KEYS, SETTINGS_KEYS, File, advise
from monitor.config.settings import Settings, from_environment
from monitor.config.source import Mark, Node, Scalar, Sequence, Table, read
from monitor.config.watch import files
from monitor.errors import ConfigError, Problem
from monitor.model import Catalogue

NOTHING: Mapping[str, str] = {}
NAMED = ("entities", "systems", "services", "profiles", "classes")
"""Sections whose items others name."""


class Loaded(NamedTuple):
    """What the files say. The warnings are for a person; nothing has to be mended."""

    catalogue: Catalogue
    settings: Settings
    warnings: list[Problem]


def load(
    folder: Path, *, replace: Mapping[str, str] = NOTHING, environ: Mapping[str, str] | None = None
) -> Loaded:
    """Read `folder` (or one file). `replace` swaps pieces of values literally, such as a `host:port`.

    `environ` overrides settings (CONTINUITY_…); it is this process's own unless given.
    Raises ConfigError with every mistake in all files, in the order of the files.
    """
    paths = files(folder)
    reading = Reading(advise)
    with _uncollected():
        written = _written(paths, replace, reading)
        settings = _settings(written.single, os.environ if environ is None else environ, reading)
        expander = Expander(written, reading)
        catalogue = expander.catalogue()
        rules.hold(catalogue, written, expander.made, reading)
        alerts.hold_entities(settings.alerts, catalogue.entities_by_slug, reading)
        delivery.hold_entities(settings.report.delivery, catalogue.entities_by_slug, reading)
        objectives.hold_classes([form for file in written.files for form in file.classes], reading)
        objectives.hold(expander.promised, {one.slug: one for one in catalogue.services}, reading)
    _not_empty(catalogue, folder, reading)
    problems = _in_order(reading.problems, paths)
    errors = [problem for problem in problems if problem.level == "error"]
    if errors:
        raise ConfigError(errors)
    return Loaded(catalogue, settings, problems)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Half of a large load went into the collector, which walked the same living objects again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def load_settings(folder: Path, *, environ: Mapping[str, str] | None = None) -> Settings:
    """Only how this installation runs: a role starts whatever somebody is just editing in the catalogue.

    A folder that is not there leaves the defaults and the environment; a file in a subfolder that cannot be
    understood is left out. Raises ConfigError with every mistake in the settings.
    """
    reading = Reading(advise)
    single: dict[str, object] = {}
    for path in files(folder) if folder.exists() else []:
        node, problems = read(path)
        if node is None and path.parent != folder and path != folder:
            continue
        reading.problems += [] if isinstance(node, Table) else problems
        pairs = node.pairs if isinstance(node, Table) else {}
        only = Table(Mark(str(path)), {key: pairs[key] for key in SETTINGS_KEYS if key in pairs})
        given = decode(only, File, reading)
        single |= {key: value for key in SETTINGS_KEYS if (value := getattr(given, key)) is not None}
    settings = _settings(single, os.environ if environ is None else environ, reading)
    errors = [problem for problem in reading.problems if problem.level == "error"]
    if errors:
        raise ConfigError(errors)
    return settings


def _written(paths: list[Path], replace: Mapping[str, str], reading: Reading) -> Written:
    """Every file as its form. A key that may be given once counts where it is first."""
    read_files: list[File] = []
    single: dict[str, object] = {}
    first: dict[str, File] = {}
    names: dict[str, set[str]] = {
        key: set() for key in ("entities", "systems", "services", "profiles", "classes")
    }
    for path in paths:
        node, problems = read(path, replace=replace)
        reading.problems += problems
        file = BAD if node is None else decode(node, File, reading)
        if node is None or not isinstance(file, File):
            continue
        _collect_names(node, names)
        for key in (*CATALOGUE_KEYS, *SETTINGS_KEYS):
            if (value := getattr(file, key)) is None:
                continue
            _once(key, file, first, reading)
            single.setdefault(key, value)
        for profile in file.profiles:
            _once(f"profiles/{profile}", file, first, reading)
        read_files.append(file)
    return Written(tuple(read_files), single, names)


def _once(key: str, file: File, first: dict[str, File], reading: Reading) -> None:
    path = key.split("/")
    if first.setdefault(key, file) is not file:
        mark = reading.mark(first[key], *path)
        reading.say(f"`{path[-1]}` is given already, in {mark.file}:{mark.line}", file, *path)


def _collect_names(node: Node, names: dict[str, set[str]]) -> None:
    """Every slug that was written, also in what was refused: one mistake must not look like two."""
    pairs = node.pairs if isinstance(node, Table) else {}
    for section, found in names.items():
        below = pairs[section][1] if section in pairs else None
        if isinstance(below, Table):
            found.update(below.pairs)
        for item in below.items if isinstance(below, Sequence) else ():
            slug = item.pairs.get("slug") if isinstance(item, Table) else None
            if slug is not None and isinstance(slug[1], Scalar):
                found.add(slug[1].text)


def _settings(single: Mapping[str, object], environ: Mapping[str, str], reading: Reading) -> Settings:
    given = {key: value for key in SETTINGS_KEYS if (value := single.get(key)) is not None}
    settings = from_environment(Settings(**given), environ, reading)  # type: ignore[arg-type]
    transactions.hold(settings.transactions, reading)
    alerts.hold(settings.alerts, reading)
    delivery.hold(settings.report.delivery, settings.report.review_s, reading)
    return settings


def _not_empty(catalogue: Catalogue, folder: Path, reading: Reading) -> None:
    mistaken = any(problem.level == "error" for problem in reading.problems)
    if not mistaken and not catalogue.services and not catalogue.systems:
        reading.note(Mark(str(folder)), f"nothing to watch here; {rules.EXAMPLE}")


def _in_order(problems: list[Problem], paths: list[Path]) -> list[Problem]:
    """By file, line and column, each once: a profile's mistake shows in every check that uses it."""
    order = {str(path): index for index, path in enumerate(paths)}
    unique = dict.fromkeys(problems)
    return sorted(unique, key=lambda each: (order.get(each.file, len(order)), each.line, each.column))
