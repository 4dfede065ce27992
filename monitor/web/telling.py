"""Sentences of a page: what state something is in, since when, why, and how many of what."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from markupsafe import Markup, escape

from monitor.judge.levels import Headline, exact
from monitor.judge.missed import Estimate, about
from monitor.judge.opening import DAILY, OFFICE
from monitor.judge.picture import BEHIND, ChannelShown, Picture, ServiceShown, Shown
from monitor.judge.seconds import State, format_percent
from monitor.judge.timeline import DEPENDENCY
from monitor.judge.uptake import DECIMALS, Share
from monitor.judge.weighted import Weighted
from monitor.model import GOVERNMENT, Channel, ChannelKind, Service, System, Verdict
from monitor.web.language import Ltr, Speaker


class Telling:
    """The words of one page: a speaker, a picture, and the hour they speak at."""

    def __init__(self, speaker: Speaker, picture: Picture, now_ms: int) -> None:
        self.speaker, self.picture, self.now_ms = speaker, picture, now_ms

    def word(self, kind: str, verdict: Verdict | State) -> str:
        """The state's word for a `service`, `channel` or `system`: in Arabic they differ in gender."""
        return self.speaker.plain(f"state.{kind}.{verdict.value}")

    def stamp(self, ms: int) -> Markup:
        """An instant as a `time` element, with its date when it is not today's."""
        return Markup('<time datetime="{}">{}</time>').format(
            self.speaker.local(ms).isoformat(timespec="seconds"),
            self.speaker.isolated(self.speaker.moment(ms, now_ms=self.now_ms)),
        )

    def since(self, shown: Shown) -> Markup:
        """Since when, and how long that is; empty when it never began."""
        return Markup() if shown.since_ms is None else self.since_ms(shown.since_ms)

    def since_ms(self, ms: int) -> Markup:
        return self.speaker.text(
            "time.since", at=self.stamp(ms), duration=self.speaker.duration(self.now_ms - ms)
        )

    def ms(self, value: float) -> Ltr:
        """Milliseconds: 0.4 ms, 132 ms, 12,400 ms."""
        return Ltr(f"{value:.1f}\u202fms" if value < 10 else f"{value:,.0f}\u202fms")

    def why(self, shown: Shown) -> Markup:
        """The reason as a sentence; empty when there is nothing to explain."""
        if shown.verdict is Verdict.UP and not shown.cause:
            return Markup()
        if shown.cause:
            return self._because(shown)
        if shown.reason == BEHIND:
            return self.speaker.text("why.behind")
        return escape(self.reason(shown.reason))

    def _because(self, shown: Shown) -> Markup:
        key = {
            Verdict.UP: "why.follows_up",
            Verdict.DEGRADED: "why.follows_degraded",
            Verdict.UNKNOWN: "why.follows_unknown",
            Verdict.DOWN: "why.follows_down",
        }[shown.verdict]
        return self.speaker.text(key, system=self.system_link(shown.cause))

    def why_service(self, shown: ServiceShown) -> Markup:
        """For a service: its cause, or what ails each channel that could have completed it."""
        if shown.effective.cause or shown.effective.reason in (BEHIND, DEPENDENCY):
            return self.why(shown.effective)
        told = [
            self.speaker.text(
                "why.channel", channel=self.channel(one.channel), reason=self.why(one.effective)
            )
            for one in shown.channels
            if one.channel.remote and one.channel.completes and one.effective.verdict is not Verdict.UP
        ]
        return escape(self.speaker.plain("list.separator")).join(told) or self.why(shown.effective)

    def reason(self, reason: str) -> str:
        """A reason of the closed list, in words."""
        key = f"reason.{reason}"
        return self.speaker.plain(key) if self.speaker.knows(key) else Ltr(reason)

    def system_link(self, subject: str) -> Markup:
        system = self.picture.catalogue.systems_by_subject.get(subject)
        if system is None:
            return Markup('<bdi dir="ltr">{}</bdi>').format(subject)
        return Markup('<a href="/systems/{}">{}</a>').format(system.slug, self.system(system))

    def subject(self, path: str) -> Markup:
        """Whatever has a path, by its name and with a link to its page."""
        catalogue, (head, _, rest) = self.picture.catalogue, path.partition("/")
        service = catalogue.services_by_subject.get(head)
        if path == GOVERNMENT:
            return self.speaker.name(catalogue.government, path)
        if service is not None:
            name = self.speaker.name(service.name, service.slug)
            link = Markup('<a href="/services/{}">{}</a>').format(service.slug, name)
            channel = catalogue.channels.get(path) if rest else None
            return link if channel is None else Markup("{} ({})").format(link, self.channel(channel))
        entity = catalogue.entities_by_subject.get(path)
        if entity is not None:
            name = self.speaker.name(entity.name, entity.slug)
            return Markup('<a href="/entities/{}">{}</a>').format(entity.slug, name)
        return self.system_link(head)

    def offered(self, service: Service) -> Markup:
        """When a service is offered; empty for day and night."""
        if not service.hours:
            return Markup()
        daily = service.hours.startswith(DAILY)
        hours = self.picture.catalogue.calendar.hours if service.hours == OFFICE else service.hours
        shown = Ltr(hours.removeprefix(DAILY).replace("-", "–"))
        return self.speaker.text("offered.daily" if daily else "offered.working", hours=shown)

    def entity(self, slug: str) -> Markup:
        """An entity by its name and with a link to its page; empty where there is none."""
        entity = self.picture.catalogue.entities_by_slug.get(slug)
        if entity is None:
            return Markup('<bdi dir="ltr">{}</bdi>').format(slug)
        return Markup('<a href="/entities/{}">{}</a>').format(slug, self.speaker.name(entity.name, slug))

    def system(self, system: System) -> Markup:
        return self.speaker.name(system.name, system.slug)

    def kind(self, kind: ChannelKind) -> str:
        return self.speaker.plain(f"kind.{kind.value}")

    def channel(self, channel: Channel) -> Markup:
        """The kind, and the channel's own slug where there are two of a kind."""
        kind = Markup("{}").format(self.kind(channel.kind))
        if channel.slug in (channel.kind.value, channel.kind.value.replace("_", "-")):
            return kind
        return Markup('{} <bdi dir="ltr">({})</bdi>').format(kind, channel.slug)

    def channel_note(self, shown: ChannelShown) -> str:
        """Whether this verdict was measured on the channel or follows from something else."""
        if shown.measured is None:
            return self.speaker.plain("channel.no_own_check" if shown.effective.cause else "channel.no_check")
        return self.speaker.plain("channel.derived" if shown.effective.cause else "channel.measured")

    def percent(self, part: int, whole: int, decimals: int = 1) -> Ltr | None:
        """Cut, never rounded up; None when there is nothing to divide."""
        written = format_percent(part, whole, decimals)
        return None if written is None else Ltr(f"{written}%")

    def share(self, share: float) -> Ltr:
        """A setting such as 0.95 as 95 %."""
        exactly = exact(share)
        return Ltr(f"{(self.percent(exactly.numerator, exactly.denominator) or '').replace('.0', '')}")

    def ratio(self, headline: Headline) -> Ltr | None:
        return None if headline.ratio is None else self.percent(*headline.counted)

    def coverage(self, headline: Headline) -> Ltr | None:
        return self.percent(headline.available + headline.unavailable, headline.required)

    def printed(self, share: Share) -> Ltr | None:
        """A share of transactions."""
        return None if share.percent is None else Ltr(f"{share.percent}%")

    def points(self, points: Fraction) -> Ltr:
        """Percentage points, without a sign: words say which way."""
        return Ltr(f"{float(abs(points)):.{DECIMALS}f}")

    def about(self, estimate: float) -> Ltr:
        """An estimate, with thousands apart."""
        text = about(estimate)
        return Ltr(text if "." in text else f"{int(text):,}")

    def missed(self, value: float, low: float, high: float) -> Markup:
        """An estimate of transactions with its interval."""
        least, most = Estimate(value, low, high).whole
        return self.speaker.text("missed.value", value=self.about(value), range=Ltr(f"{least:,}–{most:,}"))

    def range(self, low: float, high: float) -> Ltr:
        """An interval, widened to whole numbers."""
        return Ltr(f"{floor(low):,}–{ceil(high):,}")

    def by_transactions(self, found: Weighted) -> Ltr:
        """The headline by transactions, by the same policy for what is unknown."""
        share = self.percent(*found.counted(self.picture.catalogue.policy.missing))
        return share or Ltr(self.speaker.plain("headline.no_data"))
