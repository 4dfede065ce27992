"""*Service*: one service by channel and vantage point: verdicts, phases, transactions, budget."""

from __future__ import annotations

from dashboards import looks
from dashboards.board import ENTITY, SERVICE, SYSTEMS, Row, board, chosen, field, sources, to
from dashboards.figures import figures
from dashboards.government import age
from dashboards.panels import Column, Panel, lines, number, rows, timeline
from dashboards.queries import FROM, TO, Sql, announced, ask, ask_now, code, state, state_rate
from dashboards.queries import timeline as verdicts

ITS = 'service=~"$service"'
ON_CHANNEL = 'channel=~"$channel"'
AT = 'vantage=~"$vantage"'
SLUG = "${service:sqlstring}"
SUBJECT = f"(select subject from grafana.service where slug = {SLUG})"
CHANNELS = (
    f"select c.subject from grafana.channel c\n"
    f"where c.service = {SLUG} and c.slug in (${{channel:sqlstring}})"
)
VANTAGES = (
    f"select distinct c.subject from grafana.vantage c join ({CHANNELS}) o on o.subject = c.channel\n"
    "where c.vantage in (${vantage:sqlstring})"
)
TOUCHED = f"subjects && array(select subject from grafana.subject where service = {SLUG})"


def dashboard() -> str:
    """Its JSON."""
    services = (
        "select coalesce(s.name, s.slug) as __text, s.slug as __value from grafana.service s order by 1"
    )
    channels = f"select slug from grafana.channel where service = {SLUG} order by 1"
    vantages = f"select distinct vantage from grafana.vantage where service = {SLUG} order by 1"
    return board(
        SERVICE,
        "Service",
        "One service, by channel and by vantage point.",
        variables=[
            *sources("continuity_services_required"),
            chosen("service", "Service", services),
            chosen("channel", "Channel", channels, several=True),
            chosen("vantage", "Vantage point", vantages, several=True),
        ],
        rows=[
            Row("Now", _now()),
            Row("Verdicts", _verdicts()),
            Row("Measured", _measured()),
            Row("Transactions", _transactions()),
            Row("Figures", _figures()),
        ],
        marks=TOUCHED,
        up=("Entity", ENTITY),
    )


def _now() -> list[Panel]:
    ends = f"min({state('continuity_certificate_expiry_timestamp_seconds', ITS, ON_CHANNEL)}) - time()"
    return [
        number(
            "Verdict",
            "Whether the service can be had remotely now, over its remote channels that complete it.",
            ask_now(f"max({code('continuity_service_verdict', ITS)})"),
            mappings=looks.states(),
            colour=looks.UNKNOWN,
        ),
        age(),
        rows(
            "Channels",
            "Each channel with its verdict now; what its systems do to it is in it.",
            ask_now(f"sort_desc(max by (channel) ({code('continuity_channel_verdict', ITS)}))", table=True),
            {
                "channel": Column(
                    "channel", link=to(SERVICE, service="${service}", channel=field("channel"))
                ),
                "Value": Column("Verdict", mappings=looks.states(), width=150),
            },
            width=6,
            height=6,
        ),
        rows(
            "Systems it needs",
            "What each channel declares to need, and what that does to it.",
            Sql(
                "select s.slug as system, s.name, d.effect, count(*) as channels\n"
                "from grafana.dependency d join grafana.system s on s.subject = d.system\n"
                f"where d.service = {SLUG} group by 1, 2, 3 order by 3, 2"
            ),
            {
                "system": Column("system", link=to(SYSTEMS, system=field("system"))),
                "name": Column("Name"),
                "effect": Column("Effect"),
                "channels": Column("Channels", "short"),
            },
            width=6,
            height=6,
            none="it needs no shared system",
        ),
        number(
            "First certificate ends in",
            "The certificate that expires first, among those seen on its channels.",
            ask_now(ends),
            unit="dtdurations",
            colour=looks.DOWN,
            steps=[(7 * 86_400, looks.DEGRADED), (30 * 86_400, looks.UP)],
            none="none seen",
        ),
    ]


def _verdicts() -> list[Panel]:
    return [
        timeline(
            "By channel",
            "Each channel's verdict, with what follows from its systems, change by change as stored (T25). "
            "Announced work has a row of its own: whether it is left out of a figure is the figure's to say.",
            [
                verdicts(CHANNELS, layer="effective", label="s.slug"),
                announced(f"select {SUBJECT} union {CHANNELS}"),
            ],
            height=7,
        ),
        timeline(
            "By vantage point",
            "What each vantage point saw of each check of these channels, before they are weighed.",
            [
                verdicts(
                    VANTAGES,
                    layer="vantage",
                    label="split_part(t.subject, '/', 2) || ' @ ' || split_part(t.subject, '@', 2)",
                )
            ],
            height=7,
        ),
        rows(
            "Vantage points",
            "What each vantage point sees of each check now: the last rung. Its name chooses it.",
            Sql(
                "select v.vantage, s.slug as channel, c.verdict, c.reason, c.sentence, c.at\n"
                f"from grafana.vantage v join ({VANTAGES}) o on o.subject = v.subject\n"
                "join grafana.channel s on s.subject = v.channel\n"
                "join lateral (select * from grafana.change c\n"
                "  where c.subject = v.subject and c.layer = 'vantage'\n"
                "  order by c.at desc limit 1) c on true\n"
                "order by c.code desc, v.vantage, channel"
            ),
            {
                "vantage": Column(
                    "vantage", link=to(SERVICE, service="${service}", vantage=field("vantage")), width=140
                ),
                "channel": Column("Channel", width=110),
                "verdict": Column("Verdict", mappings=looks.states(), width=130),
                "reason": Column("Reason", width=150),
                "sentence": Column("Seen"),
                "at": Column("Since", "dateTimeAsLocal", width=170),
            },
            width=24,
            height=6,
            none="nothing seen yet",
        ),
        rows(
            "What happened",
            "Changes of these channels, newest first: when it was true, why, and what was seen.",
            Sql(
                "select c.at, s.slug as channel, c.verdict, c.reason,\n"
                "       coalesce(y.name, c.cause) as cause, c.sentence\n"
                f"from grafana.change c join ({CHANNELS}) o on o.subject = c.subject\n"
                "join grafana.channel s on s.subject = c.subject\n"
                "left join grafana.system y on y.subject = c.cause\n"
                f"where c.layer = 'effective' and c.at between {FROM} and {TO}\norder by c.at desc limit 200"
            ),
            {
                "at": Column("When", "dateTimeAsLocal", width=170),
                "channel": Column("Channel", width=110),
                "verdict": Column("Verdict", mappings=looks.states(), width=130),
                "reason": Column("Reason", width=150),
                "cause": Column("Cause", width=180),
                "sentence": Column("Seen"),
            },
            width=24,
            none="nothing changed in this time",
        ),
    ]


def _measured() -> list[Panel]:
    phases = state("continuity_channel_phase_seconds", ITS, ON_CHANNEL, AT)
    ends = state("continuity_certificate_expiry_timestamp_seconds", ITS, ON_CHANNEL)
    return [
        lines(
            "Phases",
            "How long each phase of the last answer took, the slowest of the channels and vantage points "
            "chosen. A phase that did not finish has no value (T24).",
            [ask(f"max by (phase) ({phases})", "{{phase}}")],
            unit="s",
            stacked=True,
        ),
        lines(
            "Answer by channel and vantage point",
            "All finished phases of the last answer together.",
            [ask(f"sum by (channel, vantage) ({phases})", "{{channel}} @ {{vantage}}")],
            unit="s",
        ),
        rows(
            "Certificates",
            "When the certificate last seen on each channel expires.",
            ask_now(f"sort(1000 * max by (channel) ({ends}))", table=True),
            {"channel": Column("Channel"), "Value": Column("Expires", "dateTimeAsLocal")},
            none="none seen",
        ),
    ]


def _transactions() -> list[Panel]:
    every = state_rate("continuity_transactions_total", ITS, ON_CHANNEL)
    completed = state_rate("continuity_transactions_total", ITS, 'outcome="completed"')
    low, high = (state(f"continuity_transactions_expected_{edge}", ITS) for edge in ("low", "high"))
    return [
        lines(
            "Completed transactions a minute",
            "What people got done on all its channels, beside what is usual at this hour of the week. The "
            "band holds a minute as usual nine times in ten; a line over several minutes strays less.",
            [
                ask(f"60 * sum({completed})", "completed"),
                ask(f"sum({state('continuity_transactions_expected', ITS)})", "usual", ref="B"),
                ask(f"sum({high})", "usual at most", ref="C"),
                ask(f"sum({low})", "usual at least", ref="D"),
            ],
            unit="short",
            colours={
                "completed": looks.PLAIN,
                "usual": looks.UNKNOWN,
                "usual at most": looks.UNKNOWN,
                "usual at least": looks.UNKNOWN,
            },
            bands={"usual at most": "usual at least"},
        ),
        lines(
            "Transactions a minute by channel and end",
            "Each channel's transactions by how they ended.",
            [ask(f"60 * sum by (channel, outcome) ({every})", "{{channel}} {{outcome}}")],
            unit="short",
        ),
        rows(
            "Outages and missed transactions (estimate)",
            "Outages of the service in this time; missed is what was usual less what was seen, with its 90 % "
            "interval, and what was made up in the 24 hours after.",
            Sql(
                'select o.start, o."end", extract(epoch from coalesce(o."end", now()) - o.start) as lasted,\n'
                "       o.reason, coalesce(y.name, o.cause) as cause, m.missed, m.low, m.high, m.made_up\n"
                "from grafana.outage o\n"
                "left join grafana.missed m on m.subject = o.subject and m.start = o.start\n"
                "left join grafana.system y on y.subject = o.cause\n"
                f'where o.subject = {SUBJECT} and o.start < {TO} and coalesce(o."end", now()) > {FROM}\n'
                "order by o.start desc limit 200"
            ),
            {
                "start": Column("From", "dateTimeAsLocal"),
                "end": Column("To", "dateTimeAsLocal"),
                "lasted": Column("Lasted", "dtdurations"),
                "reason": Column("Reason"),
                "cause": Column("Cause"),
                "missed": Column("Missed (estimate)", "short", decimals=0),
                "low": Column("At least", "short", decimals=0),
                "high": Column("At most", "short", decimals=0),
                "made_up": Column("Made up", "short", decimals=0),
            },
            width=24,
            none="no outage in this time",
        ),
    ]


def _figures() -> list[Panel]:
    left = state("continuity_error_budget_remaining_ratio", ITS)
    promised = state("continuity_objective_ratio", ITS)
    return [
        rows(
            "Promised",
            "What the service promises: of time, of answers as fast as they should be, of transactions.",
            ask_now(f"max by (objective) ({promised})", table=True),
            {"objective": Column("Of"), "Value": Column("Target", "percentunit")},
            width=6,
            none="no objective is declared",
        ),
        rows(
            "Error budget left",
            "What is left of what may be bad in each period, as the monitor reckons it from exact seconds; "
            "negative once more is spent than there was.",
            ask_now(f"sort(max by (objective, window) ({left}))", table=True),
            {
                "objective": Column("Of"),
                "window": Column("Period"),
                "Value": Column("Left", "percentunit", decimals=2),
            },
            width=6,
            none="no objective is declared",
        ),
        lines(
            "Error budget left, its course",
            "The steeper it falls, the faster the budget burns; at 0 the promise of the period is broken.",
            [ask(f"max by (objective, window) ({left})", "{{objective}} {{window}}")],
            unit="percentunit",
        ),
        figures(
            "Availability of the service",
            "The stored figures, as in the report, with and without what is excluded.",
            f"subject = {SUBJECT}",
            width=24,
        ),
    ]
