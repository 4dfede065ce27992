"""What services promise: `classes:`, `class:` and `objectives:` as written, made into the model, and held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, NamedTuple

import msgspec

from monitor.config.decode import Reading
from monitor.model import Service, Text
from monitor.objectives import HALF, SAMPLES_MIN, WINDOWS, Indicator, Objective, Rung


def Meta(description: str, **rules: Any) -> msgspec.Meta:  # noqa: N802 - reads as the Meta it makes
    return msgspec.Meta(description=description, **rules)


Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Factor = Annotated[float, msgspec.Meta(ge=0, le=1000)]


class BurnForm(msgspec.Struct, frozen=True, kw_only=True):
    """How many times faster than allowed a budget burns when somebody is told. Unset: from the target."""

    fast: Annotated[Factor | None, Meta("Over an hour, and still over 5 minutes; 0 for none.")] = None
    medium: Annotated[Factor | None, Meta("Over 6 hours, and still over 30 minutes; 0 for none.")] = None
    slow: Annotated[Factor | None, Meta("Over 3 days, and still over 6 hours; 0 for none.")] = None


class ObjectiveForm(msgspec.Struct, frozen=True, kw_only=True):
    """One promise."""

    target: Annotated[Share, Meta("The share that must be good.", examples=[0.995])]
    burn: Annotated[BurnForm | None, Meta("When somebody is told that the budget burns.")] = None


One = ObjectiveForm | Share | None


class ObjectivesForm(msgspec.Struct, frozen=True, kw_only=True):
    """What is promised. A number alone is the target."""

    availability: Annotated[One, Meta("Of the time, available remotely.")] = None
    latency: Annotated[One, Meta("Of the available time, as fast as it should be: not degraded.")] = None
    completion: Annotated[One, Meta("Of the transactions, completed and not failed.")] = None


Objectives = Annotated[
    ObjectivesForm | None, Meta("What the service promises, instead of what its class does.")
]
ClassName = Annotated[
    str | None, Meta("The class whose objectives it has. Unset: the class called `default`, if there is one.")
]


class ClassForm(msgspec.Struct, frozen=True, kw_only=True):
    """Services that promise the same."""

    slug: Annotated[
        str,
        Meta("How services name it.", pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=63, examples=["essential"]),
    ]
    name: Annotated[Text | str | None, Meta("The name people read.")] = None
    objectives: Annotated[ObjectivesForm | None, Meta("What each of them promises.")] = None


class Place(NamedTuple):
    """Where an objective was written, for what is to be said of it."""

    form: ObjectivesForm
    objective: Objective


def merged(*forms: ObjectivesForm | None) -> tuple[Place, ...]:
    """Each promise once, as the last of the forms has it that says anything of it."""
    found: dict[Indicator, Place] = {}
    for form in forms:
        for indicator in Indicator if form is not None else ():
            given: One = getattr(form, indicator.value)
            if given is not None and form is not None:
                found[indicator] = Place(form, _made(indicator, given))
    return tuple(found[indicator] for indicator in Indicator if indicator in found)


def _made(indicator: Indicator, given: ObjectiveForm | float) -> Objective:
    if not isinstance(given, ObjectiveForm):
        return Objective(indicator=indicator, target=given)
    burn = given.burn or BurnForm()
    return Objective(
        indicator=indicator, target=given.target, fast=burn.fast, medium=burn.medium, slow=burn.slow
    )


def hold(places: Mapping[str, tuple[Place, ...]], services: Mapping[str, Service], reading: Reading) -> None:
    """Note alerts that can never fire, hardly can, or would fire on a single slip (T21)."""
    for slug, found in places.items():
        for place in found:
            for rung, text, level in _wrong(place.objective, services[slug]):
                given = getattr(place.form, place.objective.indicator.value)
                burn = given.burn if isinstance(given, ObjectiveForm) else None
                if burn is not None and reading.wrote(burn, rung.value):
                    reading.say(text, burn, rung.value, level=level)
                else:
                    reading.say(text, place.form, place.objective.indicator.value, level=level)


def hold_classes(forms: Iterable[ClassForm], reading: Reading) -> None:
    """Note a class that is given twice."""
    first: dict[str, ClassForm] = {}
    for form in forms:
        if first.setdefault(form.slug, form) is not form:
            mark = reading.mark(first[form.slug], "slug")
            reading.say(f"class `{form.slug}` is given already, in {mark.file}:{mark.line}", form, "slug")


def _wrong(objective: Objective, service: Service) -> Iterator[tuple[Rung, str, str]]:
    for rung, window in WINDOWS.items():
        share = objective.threshold(rung)
        if share is None:
            continue
        asks = f"`{rung}: {float(objective.factor(rung)):g}` at a target of {objective.target:g} asks for "
        most = f"at most {float(HALF / objective.allowed):.4g}"
        if share > 1:
            yield rung, f"{asks}{float(share):.0%} of the time to be bad and can never fire: {most}", "error"
        elif share > HALF:
            yield rung, f"{asks}{float(share):.0%} of the time to be bad: {most} asks for half", "warning"
        slowest_s = _slowest_s(objective, service)
        if window.short_s < SAMPLES_MIN * slowest_s:
            text = f"`{rung}` looks at {window.short_s} s, in which a check every {slowest_s:g} s is asked "
            text += f"fewer than {SAMPLES_MIN} times: ask more often, or write `burn: {{{rung}: 0}}`"
            yield rung, text, "warning"


def _slowest_s(objective: Objective, service: Service) -> float:
    """The longest interval of its required checks, in seconds; 0 for what is counted and not asked."""
    if objective.indicator is Indicator.COMPLETION:
        return 0.0
    checks = [check for channel in service.channels for check in channel.checks if check.required]
    return max((check.every_s for check in checks), default=0.0)
