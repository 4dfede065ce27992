"""What a person fills in to announce work, an outage of their own, or a fault in another entity's system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from monitor.config.decode import suggestion
from monitor.judge.answers import subjects_of
from monitor.judge.exclusions import Filing
from monitor.judge.reach_of_work import covered, owner_of, reach
from monitor.judge.surroundings import Surroundings
from monitor.judge.work import LONGEST_MS, OCCURRENCES_MAX, Details, Repeat, occurrences
from monitor.judge.work_desk import Announcement
from monitor.model import GOVERNMENT, Catalogue, Text
from monitor.store.tokens import Holder
from monitor.web.problems import Refused

TEXT_MAX = 500
SUBJECTS_MAX = 200
AHEAD_MAX_MS = 400 * 86_400_000
BACK_MAX_MS = 35 * 86_400_000  # what was announced later is beyond the raw observations

Sent = Mapping[str, object]


class Wrong(StrEnum):
    """What does not fit in a field."""

    MISSING = "missing"
    TEXT = "text"
    CHOICE = "choice"
    INSTANT = "instant"
    STRETCH = "stretch"
    FAR = "far"
    OVER = "over"
    TO_COME = "to_come"
    ROLL_BACK = "roll_back"
    TIMES = "times"
    SUBJECTS = "subjects"
    NOT_YOURS = "not_yours"
    NO_SYSTEM = "no_system"
    OWN_SYSTEM = "own_system"


class Misfiled(Refused):
    """A field does not fit: which, why, and for programs what is right. `most` is what is allowed at most."""

    def __init__(
        self,
        field: str,
        wrong: Wrong,
        detail: str,
        *,
        status: int = 400,
        title: str = "Bad announcement",
        most: int | None = None,
    ) -> None:
        self.field, self.wrong = field, wrong
        self.values = {} if most is None else {"most": most}
        super().__init__(status, title, detail)


def announcement_of(sent: Sent, around: Surroundings, holder: Holder, *, now_ms: int) -> Announcement:
    """What was filed. Times without an offset are in the catalogue's zone.

    Raises Refused: 400, saying which field and what is right; 403 for what is another entity's.
    """
    catalogue = around.catalogue
    filing = Filing(_one_of(sent, "filing", [each.value for each in Filing], usual=Filing.WORK))
    named = _subjects(sent, catalogue)
    from_ms, to_ms = instant_of(sent, "from", catalogue), instant_of(sent, "to", catalogue)
    _hold_stretch(filing, from_ms, to_ms, now_ms)
    system = _system(sent, filing, around, holder)
    _hold_owner(named, around, holder)
    subjects = covered(around, named)
    entities = reach(around, [*named, system] if system else named).entities
    return Announcement(
        filing=filing,
        subjects=subjects,
        ranges=_ranges(sent, filing, catalogue, from_ms, to_ms),
        why=text_of(sent, "why", least=1),
        details=_details(sent, catalogue, (from_ms, to_ms), system=system, entities=entities),
        by=holder.name,
    )


def _hold_stretch(filing: Filing, from_ms: int, to_ms: int, now_ms: int) -> None:
    if not from_ms < to_ms <= from_ms + LONGEST_MS:
        raise Misfiled("to", Wrong.STRETCH, "`to` must be later than `from`, by at most 14 days")
    if not now_ms - BACK_MAX_MS <= from_ms <= now_ms + AHEAD_MAX_MS:
        raise Misfiled("from", Wrong.FAR, "`from` must lie within the last 35 days or the next 400")
    if filing is Filing.WORK and to_ms <= now_ms:
        raise Misfiled("to", Wrong.OVER, "planned work must not be over; file an outage of your own")
    if filing is not Filing.WORK and from_ms > now_ms:
        detail = "an outage or a fault has begun; what is still to come is planned work"
        raise Misfiled("from", Wrong.TO_COME, detail)


def _hold_owner(named: Sequence[str], around: Surroundings, holder: Holder) -> None:
    """A token made for some entities speaks only for what is theirs."""
    for subject in named if holder.entities else ():
        if owner_of(around, subject) not in holder.entities:
            detail = f"{subject} is not of {', '.join(holder.entities)}"
            raise Misfiled("subjects", Wrong.NOT_YOURS, detail, status=403, title="Not allowed")


def _system(sent: Sent, filing: Filing, around: Surroundings, holder: Holder) -> str:
    """The system that a fault lies in."""
    text = text_of(sent, "system")
    if filing is not Filing.FAULT:
        return ""
    known = {system.slug: system.subject for system in around.catalogue.systems}
    known |= {path: path for path in around.catalogue.systems_by_subject}
    if text not in known:
        detail = f"`system` names no system: {text!r}{suggestion(text, known)}"
        raise Misfiled("system", Wrong.NO_SYSTEM, detail)
    if holder.entities and owner_of(around, known[text]) in holder.entities:
        detail = "the system is your own; file an outage of your own"
        raise Misfiled("system", Wrong.OWN_SYSTEM, detail)
    return known[text]


def _ranges(
    sent: Sent, filing: Filing, catalogue: Catalogue, from_ms: int, to_ms: int
) -> list[tuple[int, int]]:
    repeat = Repeat(_one_of(sent, "repeat", [each.value for each in Repeat], usual=Repeat.ONCE))
    if filing is not Filing.WORK or repeat is Repeat.ONCE:
        return [(from_ms, to_ms)]
    times = text_of(sent, "times") or "2"
    if not times.isascii() or not times.isdigit() or not 2 <= int(times) <= OCCURRENCES_MAX:
        detail = f"`times` is a number from 2 to {OCCURRENCES_MAX}"
        raise Misfiled("times", Wrong.TIMES, detail, most=OCCURRENCES_MAX)
    return occurrences(from_ms, to_ms, catalogue.zone, repeat, int(times))


def _details(
    sent: Sent, catalogue: Catalogue, when: tuple[int, int], *, system: str, entities: tuple[str, ...]
) -> Details:
    roll_back_ms = instant_of(sent, "roll_back", catalogue) if text_of(sent, "roll_back") else None
    if roll_back_ms is not None and not when[0] <= roll_back_ms <= when[1]:
        raise Misfiled("roll_back", Wrong.ROLL_BACK, "`roll_back` must lie between `from` and `to`")
    return Details(
        still=Text(en=text_of(sent, "still_en"), ar=text_of(sent, "still_ar")),
        public=Text(en=text_of(sent, "public_en"), ar=text_of(sent, "public_ar")),
        phone=text_of(sent, "phone"),
        roll_back_ms=roll_back_ms,
        system=system,
        entities=entities,
    )


def text_of(sent: Sent, key: str, *, least: int = 0) -> str:
    """A line of text, trimmed. Raises Refused (400) when it is too long, or missing where it must be."""
    value = sent.get(key, "")
    if not isinstance(value, str) or "\0" in value:
        raise Misfiled(key, Wrong.TEXT, f"`{key}` must be a text", most=TEXT_MAX)
    text = " ".join(value.split())
    if not least <= len(text) <= TEXT_MAX:
        detail = f"`{key}` has from {least} to {TEXT_MAX} characters"
        if not text:
            raise Misfiled(key, Wrong.MISSING, detail)
        raise Misfiled(key, Wrong.TEXT, detail, most=TEXT_MAX)
    return text


def instant_of(sent: Sent, key: str, catalogue: Catalogue) -> int:
    """Unix milliseconds; in the catalogue's zone where there is no offset. Raises Refused (400)."""
    text = text_of(sent, key)
    try:
        at = datetime.fromisoformat(text)
        return int((at if at.tzinfo else at.replace(tzinfo=ZoneInfo(catalogue.zone))).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Misfiled(key, Wrong.INSTANT, f"`{key}` must be an instant such as 2026-12-04T22:00") from None


def _subjects(sent: Sent, catalogue: Catalogue) -> list[str]:
    """`subjects`: names apart by commas, spaces or as a list; each once."""
    given = sent.get("subjects", "")
    names = given.replace(",", " ").split() if isinstance(given, str) else given
    if not isinstance(names, Sequence) or not all(isinstance(each, str) for each in names):
        detail = "`subjects` must be names of systems, services or channels"
        raise Misfiled("subjects", Wrong.SUBJECTS, detail, most=SUBJECTS_MAX)
    known = {
        name: path
        for name, path in subjects_of(catalogue).items()
        if path != GOVERNMENT and not path.startswith("entity:")
    }
    for name in names:
        if name not in known:
            near = suggestion(name, known)
            detail = f"`subjects` names no system, service or channel: {name!r}{near}"
            raise Misfiled("subjects", Wrong.SUBJECTS, detail, most=SUBJECTS_MAX)
    found = list(dict.fromkeys(known[name] for name in names))
    if not 0 < len(found) <= SUBJECTS_MAX:
        detail = f"`subjects` are from 1 to {SUBJECTS_MAX} systems, services or channels"
        raise Misfiled("subjects", Wrong.SUBJECTS, detail, most=SUBJECTS_MAX)
    return found


def _one_of(sent: Sent, key: str, allowed: list[str], *, usual: str) -> str:
    text = text_of(sent, key) or usual
    if text not in allowed:
        raise Misfiled(key, Wrong.CHOICE, f"`{key}` must be one of {', '.join(allowed)}")
    return text
