"""What a type cannot say: slugs taken twice, time-outs, secrets in plain, circles, missing contacts."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

from monitor.config.calendar import hold_calendar
from monitor.config.decode import Reading, suggestion
from monitor.config.expand import Made, Written
from monitor.config.form import EntityForm, File, ServiceForm, SystemForm
from monitor.config.settings import KafkaSettings
from monitor.model import Catalogue, Check, Dependency, Effect, System
from probes import http_settings as http
from probes.http_settings import url_of

SECRET_HEADER = re.compile(
    r"(^|[-_])(authorization|auth|token|secret|api[-_]?key|password|cookie|session)([-_]|$)", re.IGNORECASE
)
SECRET_QUERY = re.compile(r"[?&]([a-z_-]*(token|secret|password|api[-_]?key|signature))=.", re.IGNORECASE)
EXAMPLE = "`services: [{slug: passport, url: https://passport.example/}]` is a complete catalogue"


def hold(catalogue: Catalogue, written: Written, made: Sequence[Made], reading: Reading) -> None:
    """Note whatever breaks a rule."""
    for section in ("entities", "systems", "services"):
        _each_slug_once([form for file in written.files for form in getattr(file, section)], reading)
    for each in made:
        _tuning(each, reading)
        if isinstance(each.check.ask, http.Settings):
            _address(each, each.check.ask, reading)
    _declared_vantages(made, catalogue, written, reading)
    _never_fresh(made, catalogue.policy.grace_s, reading)
    forms = {form.slug: form for file in written.files for form in file.systems}
    _no_circles(catalogue.systems, forms, reading)
    _contacts_of_blocking(catalogue, forms, reading)
    _zone(catalogue.zone, written.files, reading)
    hold_calendar(written.single.get("calendar"), written.files, reading)
    _signing_in(written, reading)


def _each_slug_once(forms: Iterable[EntityForm | SystemForm | ServiceForm], reading: Reading) -> None:
    """A slug, current or former, names one thing for ever."""
    taken: dict[str, EntityForm | SystemForm | ServiceForm] = {}
    for form in forms:
        for path, name in [(("slug",), form.slug), *((("was", old), old) for old in form.was)]:
            first = taken.setdefault(name, form)
            if first is form and name == form.slug and path[0] == "was":
                reading.say(f"`{name}` is its slug now: `was` lists former ones", form, *path)
            elif first is not form:
                mark = reading.mark(first, "slug")
                text = f"slug `{name}` is taken already, in {mark.file}:{mark.line}"
                reading.say(
                    text + (" (slugs are for ever, former ones too)" if form.was else ""), form, *path
                )


def _tuning(made: Made, reading: Reading) -> None:
    """The time-out fits the interval, the quorum fits the vantage points."""
    check = made.check
    if check.within_s >= check.every_s:
        text = f"within_s {check.within_s:g} must be less than every_s {check.every_s:g}"
        _say(made, reading, text, "within_s", "every_s")
    for key in ("quorum", "minimum"):
        if getattr(check, key) > len(check.vantages):
            text = f"{key} {getattr(check, key)} is more than the vantage points that ask: {_named(check)}"
            _say(made, reading, text, key, "vantages")


def _never_fresh(made: Sequence[Made], grace_s: float, reading: Reading) -> None:
    """Readers say *behind* two intervals after what is judged, which is always the grace ago or longer."""
    slowest_s: dict[str, float] = {}
    for each in made:
        if each.check.required:
            before_s = slowest_s.get(each.check.subject, 0.0)
            slowest_s[each.check.subject] = max(before_s, each.check.every_s)
    for each in made:
        every_s = each.check.every_s
        if every_s == slowest_s.get(each.check.subject) and 2 * every_s <= grace_s:
            text = (
                f"two intervals of {every_s:g} s are over before `policy.grace_s: {grace_s:g}` is: pages "
                "would always say that we are behind; ask less often, or lower the grace"
            )
            _say(each, reading, text, "every_s", level="warning")


def _named(check: Check) -> str:
    return ", ".join(check.vantages) or "none"


def _say(made: Made, reading: Reading, text: str, *keys: str, level: str = "error") -> None:
    """At whichever of the keys the check wrote, else where its profile did."""
    for struct in (made.form, made.profile):
        if struct is None or isinstance(struct, str):
            continue
        for key in keys:
            if reading.wrote(struct, key):
                reading.say(text, struct, key, level=level)
                return
    reading.say(text, made.owner, level=level)


def _declared_vantages(
    made: Sequence[Made], catalogue: Catalogue, written: Written, reading: Reading
) -> None:
    declared: Sequence[str] = written.single.get("vantages") or ("main",)  # type: ignore[assignment]
    for each in made:
        if not each.check.vantages:
            _say(each, reading, "no vantage point asks this check", "vantages")
        for vantage in each.check.vantages:
            if vantage not in declared:
                near = suggestion(vantage, declared, or_list=True)
                text = (
                    f"no vantage point is called `{vantage[:40]}`{near} (declared by `vantages` at the top)"
                )
                _say(each, reading, text, "vantages")


def _address(made: Made, ask: http.Settings, reading: Reading) -> None:
    """An address that can be asked, and no secret that can be read."""
    place: tuple[object, *tuple[str, ...]] = (
        (made.owner, "url") if made.owner.checks is None else (made.owner, "checks", str(made.form))
    )
    if not isinstance(made.form, str):
        place = (made.form, "http") if isinstance(made.form.http, str) else (ask, "url")
    try:
        usable = bool(url_of(ask.url).host)
    except ValueError:
        usable = False
    if not usable:
        reading.say("is not an address that can be asked: write https://host/path", *place)
    if query := SECRET_QUERY.search(ask.url):
        text = f"`{query[1]}` in an address looks like a secret in plain: send it by `secret_headers`"
        reading.say(text, *place, level="warning")
    for name in ask.headers:
        if SECRET_HEADER.search(name):
            text = (
                f"a secret in plain, in header `{name[:40]}`: use `secret_headers: "
                f"[{{name: {name[:40]}, value: env:NAME}}]`, or `basic` or `bearer`"
            )
            reading.say(text, ask, "headers", name)


def _no_circles(systems: Sequence[System], forms: dict[str, SystemForm], reading: Reading) -> None:
    """Each circle of systems that need one another, noted where it closes."""
    slugs = {system.subject: system.slug for system in systems}
    needs = {system.subject: {each.system for each in system.depends} for system in systems}
    while circle := _circle(needs):
        names = [slugs[subject] for subject in circle]
        text = "systems need one another in a circle: " + " → ".join(names)
        form = forms[names[0]]
        path = next(
            ((item, "system") for item in form.depends if getattr(item, "system", None) == names[1]),
            (form, "depends", names[1]),
        )
        reading.say(text, *path)
        needs[circle[0]].discard(circle[1])


def _circle(needs: dict[str, set[str]]) -> list[str]:
    """One circle, from needing to needed and back, or nothing. The same one for the same files."""
    try:
        TopologicalSorter({subject: sorted(needed) for subject, needed in needs.items()}).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found[::-1]
    return []


def _contacts_of_blocking(catalogue: Catalogue, forms: dict[str, SystemForm], reading: Reading) -> None:
    """Whoever is woken because a system blocks others must find whom to call."""
    blocking = {
        need.system for depends in _all_depends(catalogue) for need in depends if need.effect is Effect.BLOCKS
    }
    with_contacts = {entity.slug for entity in catalogue.entities if entity.contacts}
    for system in catalogue.systems:
        if system.subject in blocking and not system.contacts and system.entity not in with_contacts:
            text = f"system `{system.slug}` blocks others, and neither it nor its entity has a contact"
            reading.say(text, forms[system.slug], "slug", level="warning")


def _all_depends(catalogue: Catalogue) -> Iterator[Sequence[Dependency]]:
    for system in catalogue.systems:
        yield system.depends
    for service in catalogue.services:
        for channel in service.channels:
            yield channel.depends


def _zone(zone: str, files: Sequence[File], reading: Reading) -> None:
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = suggestion(zone, sorted(zoneinfo.available_timezones()))
        file = next(file for file in files if file.zone is not None)
        reading.say(f"`{zone[:40]}` is not a time zone{near or ', such as Asia/Dubai'}", file, "zone")


def _signing_in(written: Written, reading: Reading) -> None:
    kafka = written.single.get("kafka")
    if isinstance(kafka, KafkaSettings) and kafka.security.startswith("sasl") and not kafka.user:
        reading.say(f"{kafka.security} needs `user` and `password`", kafka, "security")
