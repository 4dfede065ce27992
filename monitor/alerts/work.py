"""What there is to tell of work and of what else people file, whom it concerns, and when. Pure; Unix ms."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

import msgspec

from monitor.alerts.policy import WorkingHours, due_ms
from monitor.config.alerts import Receiver
from monitor.judge.exclusions import Exclusion, Filing, Standing, standing
from monitor.judge.reach_of_work import owner_of, reach
from monitor.judge.surroundings import Surroundings
from monitor.judge.work import Details, Phase, phase
from monitor.model import Severity, Text, stream_key

_details = msgspec.json.Decoder(Details)


class WorkTopic(StrEnum):
    """What is told of it."""

    ANNOUNCED = "work_announced"
    ENDING = "work_ending"  # whether it is over, asked shortly before its end
    EXTENDED = "work_extended"
    FINISHED = "work_finished"
    ROLLED_BACK = "work_rolled_back"
    CANCELLED = "work_cancelled"


OPENING = frozenset({WorkTopic.ANNOUNCED, WorkTopic.ENDING, WorkTopic.EXTENDED})


class WorkStory(NamedTuple):
    """An exclusion with everything a message says of it."""

    exclusion: Exclusion
    details: Details
    phase: Phase
    standing: Standing
    names: tuple[Text, ...]  # of the systems it is about, or of the services where there are none
    services: tuple[Text, ...]  # it takes
    entities: int  # to which these belong
    owners: frozenset[str]  # slugs of whose the work is
    others: frozenset[str]  # slugs of who else is affected


def work_story(
    around: Surroundings, exclusion: Exclusion, *, extended: Collection[int], now_ms: int
) -> WorkStory:
    """The story under the catalogue in force; what is no longer in it has no name."""
    details = _details.decode(exclusion.document)
    found = reach(around, exclusion.subjects)
    keys = dict.fromkeys(map(stream_key, exclusion.subjects))
    systems = [around.catalogue.systems_by_subject[key] for key in keys if _is(key, around, system=True)]
    services = [around.catalogue.services_by_subject[key] for key in keys if _is(key, around, system=False)]
    owners = frozenset(one.entity for one in systems or services if one.entity)
    return WorkStory(
        exclusion,
        details,
        phase(exclusion, now_ms=now_ms, extended=extended),
        standing(exclusion, notice_ms=round(around.catalogue.policy.notice_s * 1000)),
        tuple(_name(one.name, one.slug) for one in systems or services),
        tuple(_name(around.catalogue.services_by_subject[path].name, path) for path in found.services),
        len(found.entities),
        owners,
        frozenset({*details.entities, *found.entities, _owner(around, details.system)} - {""}) - owners,
    )


def _is(key: str, around: Surroundings, *, system: bool) -> bool:
    catalogue = around.catalogue
    return key in (catalogue.systems_by_subject if system else catalogue.services_by_subject)


def _name(name: Text, fallback: str) -> Text:
    return name if name.en or name.ar else Text(en=fallback, ar=fallback)


def _owner(around: Surroundings, system: str) -> str:
    return owner_of(around, system) if system else ""


def concerned(story: WorkStory, topic: str) -> frozenset[str]:
    """Slugs of the entities that are told: whether it is over is asked of whoever does it."""
    return story.owners if topic == WorkTopic.ENDING else story.owners | story.others


def due_of_work_ms(
    receiver: Receiver,
    severity: Severity,
    hours: WorkingHours,
    topic: str,
    story: WorkStory,
    *,
    now_ms: int,
) -> int:
    """When a receiver may be told: in its hours, unless what is ahead would have begun or ended by then."""
    usual_ms = due_ms(receiver, severity, hours, now_ms=now_ms)
    limit_ms = story.exclusion.range[1 if topic == WorkTopic.ENDING else 0]
    ahead = topic in OPENING and story.exclusion.filing is Filing.WORK
    return now_ms if ahead and usual_ms >= limit_ms else usual_ms


def needless_of_work(topic: str, story: WorkStory, *, heard: bool) -> str:
    """Why a message need not go out any more; "" when it must. `heard`: the receiver knows of the work."""
    if topic not in OPENING:
        return "" if heard else "it was never told of this"
    if story.exclusion.filing is not Filing.WORK:
        return ""
    if topic == WorkTopic.ENDING and story.phase is Phase.EXTENDED:
        return "it was extended before anybody could be asked"
    over = story.phase in (Phase.FINISHED, Phase.CANCELLED)
    return "it was over before it could be told" if over else ""
