"""How a report speaks: its own words, and every figure, date and duration in one way for every view. Pure but
for reading its words from disk.

`plain_…` gives text with Unicode's isolates, for the PDF and the sheets; the others give HTML with `bdi`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path

from babel.dates import get_month_names
from hijridate import Gregorian
from markupsafe import Markup

from monitor.judge.seconds import Says
from monitor.language import Ltr, Message, Speaker, messages_in
from monitor.report.document import About, Document, Part, Value, Work
from monitor.report.figures import FIGURES, Unit

LOCALE = Path(__file__).parent / "locale"
LANGUAGES = ("ar", "en")
SAMPLE_MARK = "بيانات تجريبية / SAMPLE DATA"
DRAFT_MARK = "مسودة / DRAFT"
HOUR_S, MINUTE_S = 3600, 60
WHY = {
    "dns": "dns",
    "connect": "connect",
    "tls": "tls",
    "timeout": "timeout",
    "dependency": "dependency",
    **dict.fromkeys(("closed", "truncated", "too_large", "decode", "protocol", "redirect"), "answer"),
    **dict.fromkeys(("status", "assertion"), "answer"),
}
"""Reasons of the judge, or the first word of them, and the words there are for them."""
_RLI, _PDI = "\u2067", "\u2069"
_EASTERN = str.maketrans("0123456789.,%", "٠١٢٣٤٥٦٧٨٩٫٬٪")


def marks_of(about: About, *, draft: bool) -> list[str]:
    """What every view says of itself: that it is a draft, that its data are made up, or both."""
    return [DRAFT_MARK] * draft + [SAMPLE_MARK] * about.sample


def words(language: str) -> Mapping[str, Message]:
    """Every message of the report in a language, by its key."""
    return messages_in(LOCALE, language)


class Said(str):
    """Text that was spoken in the language of the edition, and so runs in its direction."""

    __slots__ = ()


class Voice(Speaker):
    """One edition of one report."""

    def __init__(self, language: str, document: Document) -> None:
        super().__init__(language, zone=document.about.zone, messages=words(language))
        self.document = document
        self._eastern = language == "ar" and document.terms.digits == "arabic"
        months: Mapping[int, str] = get_month_names("wide", locale=self._locale)
        self._months = {number: Said(name) for number, name in months.items()}

    def digits(self, text: str) -> Ltr:
        """The digits of this edition, in a run that nothing around can reorder."""
        return Ltr(text.translate(_EASTERN) if self._eastern else text)

    def number(self, value: int) -> Ltr:
        return self.digits(f"{value:,}")

    def plain(self, key: str, **values: object) -> Said:
        """The message as plain text. One of nothing but isolated parts still runs as the language does."""
        return Said(super().plain(key, **values))

    def _plain_isolated(self, value: object) -> str:
        if isinstance(value, Said):
            return f"{_RLI}{value}{_PDI}" if self.direction == "rtl" else str(value)
        return super()._plain_isolated(value)

    def isolated(self, value: object) -> Markup:
        if isinstance(value, Said):
            return Markup('<bdi dir="{}">{}</bdi>').format(self.direction, str(value))
        return super().isolated(value)

    # -- figures

    def written(self, unit: Unit, value: Value) -> str:
        """A figure as plain text: what every view shows, to the last digit."""
        if value.says is not Says.FIGURE or value.text is None:
            return self.plain(f"says.{value.says.value}")
        match unit:
            case Unit.PERCENT:
                return self.percent(value.text)
            case Unit.POINTS:
                return self.plain("unit.points", points=self.digits(value.text.replace("-", "−")))
            case Unit.DURATION:
                return self.span(int(value.text))
            case Unit.COUNT:
                return self._count(value)
            case Unit.ESTIMATE:
                return self.estimate(value)
            case Unit.ANSWER:
                return self.plain(f"answer.{value.text}")

    def percent(self, text: str) -> Ltr:
        """96.41%."""
        return self.digits(f"{text}%")

    def _count(self, value: Value) -> str:
        number = self.number(int(value.text or 0))
        if value.whole is None:
            return number
        return self.plain("share.of", part=number, whole=self.number(value.whole))

    def estimate(self, value: Value) -> str:
        """37 (between 27 and 48)."""
        if value.text is None:
            return self.plain(f"says.{value.says.value}")
        ends = {"low": self._grouped(value.low), "high": self._grouped(value.high)}
        return self.plain("estimate.range", value=self._grouped(value.text), **ends)

    def _grouped(self, text: str | None) -> Ltr:
        whole, dot, rest = (text or "").partition(".")
        return self.digits(f"{int(whole):,}{dot}{rest}")

    def figure(self, part: Part, code: str) -> Markup:
        """A figure as HTML: `value` holds its exact digits for a program, the code stands small beside it."""
        value = part.figures[code]
        said = self.isolated(self.written(FIGURES[code].unit, value))
        return Markup(
            '<data class="figure" data-figure="{0}" value="{1}">{2}</data> <small class="code">{0}</small>'
        ).format(code, value.text or "", said)

    def changed(self, code: str, value: Value | None) -> Markup:
        """A figure of a correction; a dash where a version does not have it."""
        return self.isolated("—" if value is None else self.written(FIGURES[code].unit, value))

    # -- times

    def span(self, seconds: int) -> str:
        """28 hours and 5 minutes: exact, hours being the largest unit."""
        hours, rest = divmod(seconds, HOUR_S)
        minutes, seconds = divmod(rest, MINUTE_S)
        named = (("hours", hours), ("minutes", minutes), ("seconds", seconds))
        parts = [self.plain(f"duration.{unit}", n=count) for unit, count in named if count]
        return self.plain("duration.join").join(parts) or self.plain("duration.minutes", n=0)

    def day(self, day: date) -> str:
        """16 November 2026, with the Hijri date beside it where that is the setting."""
        return self._with_hijri(day, self._gregorian(day))

    def _gregorian(self, day: date) -> str:
        return self.plain(
            "date.day", day=self._bare(day.day), month=self._months[day.month], year=self._bare(day.year)
        )

    def _bare(self, number: int) -> Ltr:
        return self.digits(str(number))

    def _with_hijri(self, day: date, written: str) -> str:
        if not self.document.terms.hijri:
            return written
        hijri = Gregorian(day.year, day.month, day.day).to_hijri()
        beside = self.plain(
            "date.hijri",
            day=self._bare(hijri.day),
            month=self.plain(f"hijri.{hijri.month}"),
            year=self._bare(hijri.year),
        )
        return self.plain("date.beside", day=written, hijri=beside)

    def days(self, first: date, last: date) -> str:
        """from 16 to 22 November 2026; with both dates in full where the month is another."""
        if first == last:
            return self.plain("range.one", day=self.day(first))
        hijri = self.document.terms.hijri
        if hijri or (first.year, first.month) != (last.year, last.month):
            return self.plain("range.dates", first=self.day(first), last=self.day(last))
        return self.plain(
            "range.days",
            first=self._bare(first.day),
            last=self._bare(last.day),
            month=self._months[last.month],
            year=self._bare(last.year),
        )

    def at(self, instant: datetime) -> str:
        """20 November 2026, 07:00, on the report's clock."""
        local = instant.astimezone(self.zone)
        return self.plain("date.at", day=self._gregorian(local.date()), hour=self.digits(f"{local:%H:%M}"))

    def times(self, began: datetime, ended: datetime | None) -> str:
        """From one instant to another, in words."""
        if ended is None:
            return self.plain("outages.lasts", at=self.at(began))
        first, last = began.astimezone(self.zone), ended.astimezone(self.zone)
        until = self.digits(f"{last:%H:%M}") if first.date() == last.date() else self.at(ended)
        return self.plain("range.times", first=self.at(began), last=until)

    # -- who and what

    def called(self, part: Part) -> str:
        """The name of a part in this language, its slug where it has none."""
        return part.name.get(self.language) or part.slug

    def subject(self, subject: str) -> str:
        """The name of a subject of the report; of one that is not in it, its key."""
        part = self.document.part(subject)
        return self.called(part) if part is not None else subject.partition(":")[2]

    def name_alone(self, called: str) -> str:
        """A name in plain text that nothing around can reorder."""
        return self._plain_isolated(called)

    def listed(self, items: Iterable[str]) -> str:
        return self.plain("list.join").join(items)

    def worked_on(self, work: Work) -> list[str]:
        """Names of the systems and services that are worked on, each once, whatever channels are named."""
        names = {
            subject.partition("/")[0]: name.get(self.language)
            for subject, name in zip(work.subjects, work.names, strict=True)
        }
        return [name or subject for subject, name in names.items()]

    def stands(self, work: Work) -> str:
        """How work was announced, what the committee said of it if it did, and whether it counts."""
        said = dict.fromkeys(each for each in (work.notice, work.standing) if each)
        counts = self.plain("work.left_out" if work.applied else "work.counted")
        return f"{self.listed(self.plain(f'standing.{each}') for each in said)}: {counts}"

    def kinds(self, kinds: Iterable[str]) -> str:
        """Names of kinds of channels."""
        return self.listed(self.plain(f"kind.{kind}") for kind in kinds)

    def unmeasured(self, reason: str) -> str:
        """Why time is unknown; a reason without words of its own is named as it is stored."""
        key = f"unmeasured.{reason}"
        return self.plain(key) if self.knows(key) else self.plain("unmeasured.other", reason=Ltr(reason))

    def why(self, reason: str) -> str:
        """What was wrong, in the few words a committee needs."""
        group = reason.partition("_")[0]
        return self.plain(f"why.{WHY.get(reason) or WHY.get(group, 'other')}")

    @property
    def title(self) -> str:
        return self.plain(f"title.{self.document.about.kind}")

    @property
    def period(self) -> str:
        """the week from 16 to 22 November 2026."""
        about = self.document.about
        if about.kind == "month":
            year, month = self._bare(about.first.year), self._months[about.first.month]
            return self.plain("period.month", month=month, year=year)
        return self.plain(f"period.{about.kind}", range=self.days(about.first, about.last))

    @property
    def sentence(self) -> str:
        """The one sentence that a committee needs."""
        figures = self.document.total.figures
        availability, answer = figures["F01"], figures["F03"]
        if availability.text is None:
            coverage = self.written(Unit.PERCENT, figures["F06"])
            return self.plain(f"sentence.{availability.says.value}", period=self.period, coverage=coverage)
        return self.plain(
            "sentence.met" if answer.text == "yes" else "sentence.not_met",
            availability=self.percent(availability.text),
            period=self.period,
            target=self.percent(figures["F02"].text or ""),
        )

    @property
    def change(self) -> str:
        """How that compares with the period before."""
        points = self.document.total.figures["F04"]
        before = self.plain(f"before.{self.document.about.kind}")
        if points.text is None:
            return self.plain("change.none", before=before)
        key = {"+": "change.more", "-": "change.less"}.get(points.text[0], "change.same")
        return self.plain(key, before=before, points=self.digits(points.text.lstrip("+-")))
