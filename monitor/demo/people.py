"""What the sample's people did before the first run: announced work, noted what they did, agreed and asked.

Written by the functions that write the acts of real people, then dated back, which only sample data may be.
They write as people of a bilingual government do: Arabic first, then English.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from monitor.demo.dips import HOLE, HOLES, Dip, subject_hit
from monitor.demo.shapes import DAY_MS, HOUR_MS, MINUTE_MS
from monitor.judge.handling import row_of
from monitor.judge.incidents import Incident, Kind, State
from monitor.judge.periods import day_of, midnight_ms
from monitor.judge.reach_of_work import covered
from monitor.judge.surroundings import Surroundings
from monitor.judge.troubles import Sign
from monitor.judge.work import Details
from monitor.model import ExclusionKind, Severity, Text, Verdict, Version
from monitor.report import replying
from monitor.report.replying import Wish
from monitor.store import committee, exclusions, incidents, sample
from monitor.store.changes import ChangeRow
from monitor.store.committee import Question
from monitor.store.incidents import NoteRow
from monitor.store.pool import Store
from monitor.store.sample import Act

KNOWN_MS, STEADY_MS = MINUTE_MS, 10 * MINUTE_MS
NIGHT, OPERATIONS, COMMITTEE = "Salem (night desk)", "Noura (operations)", "Committee secretary"


class Work(NamedTuple):
    """Work that begins as a hole of the history does, announced so long before, for so long."""

    hole: int
    notice_ms: int
    lasts_ms: int
    why: str
    details: Details
    extended_ms: int = 0  # by so much, in its last minutes
    refused: str = ""  # why the committee let the extension count


DONE = {  # hole → what was done
    0: "أُعيد تشغيل خوادم السجل التجاري بعد امتلاء القرص · The disk was full; the register was restarted",
    2: "حُوّلت الطلبات إلى الموقع الاحتياطي للمستودع · Requests were moved to the second site",
    4: "جُدّدت شهادة أمان انتهت صلاحيتها · An expired certificate was renewed",
    6: "أُلغي تحديث لقاعدة بيانات السجل نُشر صباحًا · An update of the database was rolled back",
    7: "رُفع الحد الأقصى لاتصالات البنك · The bank's limit of connections was raised",
}
WORK = (
    Work(
        9, 3 * DAY_MS, 120 * MINUTE_MS,
        "ترقية خوادم التوقيع الرقمي · Upgrade of the signature servers",
        Details(still=Text(ar="الخدمات التي لا تتطلب توقيعًا رقميًا", en="Whatever needs no signature")),
    ),
    Work(
        10, 5 * HOUR_MS, 60 * MINUTE_MS,
        "تغيير عاجل في بوابة الدفع بطلب من البنك · Urgent change of the payment gateway for the bank",
        Details(),
    ),
    Work(
        11, 2 * DAY_MS, 120 * MINUTE_MS,
        "نقل السجل التجاري إلى مركز البيانات الجديد · Move of the business register to the new data centre",
        Details(),
        extended_ms=60 * MINUTE_MS,
        refused="لم يُعلن التمديد في موعده · The extension was not announced in time",
    ),
)  # fmt: skip
ANSWERED = Wish(
    label="",  # the last week
    entity="tax",
    about="F17",
    ar="تُرسل معاملات الدفع المتعثرة إلى البنك مرة أخرى آليًا خلال ساعة، فلا يلزم المتعامل تكرارها.",
    en="Payments that got stuck are sent to the bank again within an hour; nobody has to repeat them.",
    by="Amal (Revenue Office)",
    on_behalf=False,
)
NEXT = "صيانة دورية لنظام المواعيد · Regular maintenance of the appointments system"
"""Announced, and still to come."""


async def write(connection: Any, version: Version, dips: Sequence[Dip], rows: Iterable[ChangeRow]) -> None:
    """Their incidents and announcements, as far back as the holes among `dips` lie; in this transaction."""
    await incidents.take_desk(connection)
    taken, numbers = _taken(rows), await incidents.last_numbers_within(connection)
    by_hole = {int(dip.name.removeprefix(HOLE)): dip for dip in dips}
    subjects = {number: subject_hit(version.catalogue, HOLES[number]) for number in by_hole}
    for number, said in DONE.items():
        if subject := subjects.get(number):
            dip = by_hole[number]
            services = taken.get((subject, dip.since_ms), [])
            await _handled(connection, _incident(subject, dip, services, numbers), said)
    around = Surroundings(version)
    for each in WORK:
        if subject := subjects.get(each.hole):
            reached = covered(around, [subject])
            await _worked(connection, reached, by_hole[each.hole].since_ms, each)


def _taken(rows: Iterable[ChangeRow]) -> dict[tuple[str, int], list[str]]:
    """Cause and beginning → the services that were down because of it."""
    found: dict[tuple[str, int], list[str]] = {}
    for row in rows:
        if row.verdict == Verdict.DOWN and row.cause and "/" not in row.subject:
            found.setdefault((row.cause, row.at_ms), []).append(row.subject)
    return found


def _incident(subject: str, dip: Dip, services: Iterable[str], numbers: dict[int, int]) -> Incident:
    """One that was opened, cared for and closed; `numbers` are the last ones given, by year."""
    opened_ms, closed_ms = dip.since_ms + KNOWN_MS, dip.until_ms + STEADY_MS
    year = day_of(opened_ms, ZoneInfo("UTC")).year
    numbers[year] = numbers.get(year, 0) + 1
    return Incident(
        number=f"INC-{year}-{numbers[year]:04d}",
        subject=subject,
        sign=Sign.UNAVAILABLE,
        verdict=Verdict.DOWN,
        severity=Severity.CRITICAL,
        state=State.CLOSED,
        since_ms=dip.since_ms,
        opened_ms=opened_ms,
        raised_ms=opened_ms,
        failing_ms=dip.until_ms,
        down_ms=dip.until_ms,
        well_ms=dip.until_ms,
        closed_ms=closed_ms,
        services=tuple(sorted(services)),
        systems=(subject,),
    )


async def _handled(connection: Any, incident: Incident, said: str) -> None:
    """Stored with its timeline, in which somebody wrote down what was done."""
    number = incident.number
    await incidents.keep(connection, [row_of(incident)])
    lines = [
        NoteRow(number, Kind.OPENED.value, incident.since_ms),
        NoteRow(number, "note", incident.well_ms - MINUTE_MS, OPERATIONS, said),
        NoteRow(number, Kind.STEADY.value, incident.well_ms),
        NoteRow(number, Kind.CLOSED.value, incident.closed_ms),
    ]
    await incidents.note(connection, lines)
    await sample.known_when_true(connection, number)


async def _worked(connection: Any, subjects: Sequence[str], began_ms: int, work: Work) -> None:
    """Announced, perhaps prolonged without notice; the committee ruled on that or is still to."""
    from_ms, to_ms = began_ms, began_ms + work.lasts_ms
    filed: dict[str, Any] = {
        "kind": ExclusionKind.MAINTENANCE.value,
        "subjects": subjects,
        "why": work.why,
        "document": msgspec.json.encode(work.details).decode(),
    }
    number = await exclusions.announce(connection, from_ms=from_ms, to_ms=to_ms, by=OPERATIONS, **filed)
    await sample.happened(connection, Act.ANNOUNCED, number, at_ms=from_ms - work.notice_ms)
    if work.extended_ms:
        until_ms = to_ms + work.extended_ms
        more = await exclusions.announce(
            connection, from_ms=to_ms, to_ms=until_ms, by=NIGHT, extends=number, **filed
        )
        await sample.happened(connection, Act.ANNOUNCED, more, at_ms=to_ms - 5 * MINUTE_MS)
        await exclusions.reject(connection, more, by=COMMITTEE, why=work.refused)
        await sample.happened(connection, Act.REFUSED, more, at_ms=until_ms + DAY_MS)


async def meet(store: Store, version: Version, *, now_ms: int, label: str) -> None:
    """What the committee agreed and asked in its last meetings, and work that is still to come; once.

    `label`: the week whose report its last question is about.
    """
    if await committee.actions(store, limit=1):
        return
    today = day_of(now_ms, ZoneInfo(version.catalogue.zone))
    await _announce_what_comes(store, version, now_ms)
    if ANSWERED.entity in version.catalogue.entities_by_slug:
        await replying.reply(store, version.catalogue, ANSWERED._replace(label=label))
    await _agree(store, today, now_ms)
    asked = Question(
        "Is there another way to pay when the gateway is down? · هل يوجد مسار بديل للدفع عند توقف البوابة؟",
        "Revenue Office · مكتب الإيرادات العامة", today + timedelta(days=3), label, 1, "F17",
    )  # fmt: skip
    number = await committee.ask(store, asked, by=COMMITTEE)
    async with store.transaction() as connection:
        await sample.happened(connection, Act.ASKED, number, at_ms=now_ms - 2 * DAY_MS)


async def _agree(store: Store, today: date, now_ms: int) -> None:
    done = await committee.agree(
        store,
        what="تنبيه قبل انتهاء الشهادات بثلاثين يومًا · A warning 30 days before a certificate ends",
        who=OPERATIONS,
        due=today - timedelta(days=2),
        by=COMMITTEE,
    )
    await committee.finish(
        store, done, by=OPERATIONS, result="فُعّل لجميع الأنظمة المشتركة · On for all shared systems"
    )
    open_one = await committee.agree(
        store,
        what="تجربة الموقع الاحتياطي لمستودع الوثائق · Rehearse the second site of the document store",
        who=NIGHT,
        due=today + timedelta(days=9),
        by=COMMITTEE,
    )
    async with store.transaction() as connection:
        for number in (done, open_one):
            await sample.happened(connection, Act.AGREED, number, at_ms=now_ms - 9 * DAY_MS)
        await sample.happened(connection, Act.DONE, done, at_ms=now_ms - 3 * DAY_MS)


async def _announce_what_comes(store: Store, version: Version, now_ms: int) -> None:
    """At night, six days from now."""
    zone = ZoneInfo(version.catalogue.zone)
    from_ms = midnight_ms(day_of(now_ms, zone) + timedelta(days=6), zone) + HOUR_MS
    async with store.transaction() as connection:
        await exclusions.announce(
            connection,
            kind=ExclusionKind.MAINTENANCE.value,
            subjects=covered(Surroundings(version), ["system:appointments"]),
            from_ms=from_ms,
            to_ms=from_ms + 2 * HOUR_MS,
            why=NEXT,
            by=OPERATIONS,
        )
