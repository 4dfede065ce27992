"""Alerts on the monitor itself. They go to the platform team alone: no service is said to be down here."""

from __future__ import annotations

from dashboards.alert import Alert, Said

OWN = {"component": "monitor", "team": "platform"}
REPLICAS = "max without (instance, pod)"
"""What begins every expression on /metrics/state, or on what only a leader sets: replicas say the same."""


LEFT_OUT = frozenset(
    {
        "continuity_notices_undelivered",
        "continuity_deliveries_failed_total",
        "continuity_reports_waiting",
        "continuity_report_due_timestamp_seconds",
        "continuity_report_draft_until_timestamp_seconds",
        "continuity_report_deliveries_waiting_since_timestamp_seconds",
        "continuity_report_deliveries_given_up",
        "continuity_public_as_of_timestamp_seconds",
    }
)
"""Metrics of roles that not everybody runs: notify, report, public. They are missed once they were there."""


def own(  # each is a part of an alert, all but the last two in every one
    name: str,
    expr: str,
    severity: str,
    en: Said,
    ar: Said,
    watches: tuple[str, ...] = (),
    *,
    for_s: int = 60,
    keep_s: int = 300,
) -> Alert:
    """An alert on the monitor itself."""
    return Alert(
        name=name,
        expr=expr,
        severity=severity,
        en=en,
        ar=ar,
        for_s=for_s,
        keep_s=keep_s,
        labels=OWN,
        watches=watches,
    )


def older(metric: str, seconds: int) -> str:
    """How old an instant is, where it is older than so many seconds."""
    return f"time() - {REPLICAS} ({metric}) > {seconds}"


def past(metric: str, seconds: int) -> str:
    """The same of an instant that may not be there, and then is 0."""
    return f"time() - ({REPLICAS} ({metric}) > 0) > {seconds}"


AGE = "{{ $value | humanizeDuration }}"
WORLD = (
    own(
        "ContinuityStale",
        older("continuity_last_judged_timestamp_seconds", 60),
        "critical",
        Said(
            f"Verdicts are {AGE} old",
            "What pages, metrics and alerts say of the services is that old. Until it is fresh again the "
            "services are shown as unknown; none of them is said to be down.",
        ),
        Said(
            f"الأحكام متأخرة {AGE}",
            "ما تعرضه الصفحات والمؤشرات والتنبيهات عن الخدمات قديم بهذا القدر، وتظهر الخدمات «غير معروفة» "
            "إلى أن تُحدَّث، ولا تُعدّ أي خدمة متوقفة بسببه.",
        ),
        ("continuity_last_judged_timestamp_seconds",),
    ),
    own(
        "ContinuityTargetDown",
        'up{job=~"continuity|continuity-state"} == 0',
        "warning",
        Said(
            "{{ $labels.instance }} of the monitor does not answer",
            "Prometheus gets no metrics from this process of the monitor (job {{ $labels.job }}).",
        ),
        Said(
            "لا يستجيب {{ $labels.instance }} من نظام المتابعة",
            "لا يصل Prometheus أي مؤشر من هذه العملية (المهمة {{ $labels.job }}).",
        ),
    ),
    own(
        "ContinuityFiguresBehind",
        older("continuity_accounted_until_timestamp_seconds", 900),
        "warning",
        Said(
            f"Figures of availability end {AGE} ago",
            "The keeper of the figures (role derive) has fallen behind. Verdicts are not affected; budgets "
            "and the figures of today are incomplete.",
        ),
        Said(
            f"أرقام التوافر متأخرة {AGE}",
            "تأخّر احتساب أرقام التوافر (الدور derive). الأحكام غير متأثرة، أما أرقام اليوم وحصص الأعطال "
            "فغير مكتملة.",
        ),
        ("continuity_accounted_until_timestamp_seconds",),
        for_s=300,
    ),
    own(
        "ContinuityIncidentsNotLooked",
        older("continuity_incidents_looked_timestamp_seconds", 60),
        "critical",
        Said(
            f"Nobody has looked after incidents for {AGE}",
            "No incident is opened, raised or closed, and nobody is told of a failure, while this lasts.",
        ),
        Said(
            f"لم تُراجَع الحوادث منذ {AGE}",
            "لا يُفتح حادث ولا يُصعَّد ولا يُغلق، ولا يُبلَّغ أحد بأي عطل، ما دام هذا قائمًا.",
        ),
        ("continuity_incidents_looked_timestamp_seconds",),
    ),
    own(
        "ContinuityNoLeader",
        "sum without (instance, pod) (continuity_leader) != 1",
        "critical",
        Said(
            "{{ $value }} processes lead {{ $labels.role }}; there must be one",
            "Without a leader nothing follows from a failure: no effective verdict, no incident. Two leaders "
            "cannot both write (the lease forbids it), but one of them believes wrongly that it may.",
        ),
        Said(
            "عدد العمليات القائدة للدور {{ $labels.role }} هو {{ $value }}، والواجب واحدة",
            "بلا عملية قائدة لا يُستنتج شيء من أي عطل: لا حكم نهائي ولا حادث. ولا يمكن لقائدتين أن تكتبا "
            "معًا، لكن إحداهما تظن خطأً أن لها ذلك.",
        ),
        ("continuity_leader",),
    ),
    own(
        "ContinuityConfigRejected",
        "continuity_config_last_reload_successful == 0\n"
        "and on (job, instance) continuity_leader{role='derive'} == 1",
        "warning",
        Said(
            "The last edit of the configuration was refused",
            "The catalogue from before the edit stays in force. `continuity check` names every mistake with "
            "its file, line and column.",
        ),
        Said(
            "رُفض آخر تعديل على الإعدادات",
            "يبقى الدليل السابق ساريًا. الأمر continuity check يذكر كل خطأ مع ملفه وسطره وعموده.",
        ),
        ("continuity_config_last_reload_successful",),
    ),
)
"""The state of the world, and who makes it."""

FLOW = (
    own(
        "ContinuityLag",
        f"sum without (partition) ({REPLICAS} (continuity_stream_lag_records)) > 10000",
        "warning",
        Said(
            "{{ $value | humanize }} records of {{ $labels.topic }} wait to be read",
            "Readers do not keep up with this topic. Verdicts and counts come late, nothing is lost.",
        ),
        Said(
            "{{ $value | humanize }} سجلًا من {{ $labels.topic }} في انتظار القراءة",
            "القراءة أبطأ من ورود السجلات في هذا الموضوع، فتتأخر الأحكام والأعداد ولا يضيع منها شيء.",
        ),
        ("continuity_stream_lag_records",),
        for_s=300,
    ),
    own(
        "ContinuityStreamStopped",
        f"sum without (partition) ({REPLICAS} (continuity_stream_stopped)) > 0",
        "critical",
        Said(
            "{{ $value }} partitions of {{ $labels.topic }} are stopped",
            "The log there is not the one that was read before. A person must look and then say "
            "`continuity stream accept`.",
        ),
        Said(
            "{{ $value }} من أقسام {{ $labels.topic }} متوقفة",
            "السجل هناك ليس الذي قُرئ من قبل. على شخص مسؤول أن يفحصه ثم ينفّذ continuity stream accept.",
        ),
        ("continuity_stream_stopped",),
    ),
    own(
        "ContinuityCountsBehind",
        f'time() - {REPLICAS} (continuity_counted_until_timestamp_seconds{{topic=""}}) > 180',
        "warning",
        Said(
            f"Transactions are counted up to {AGE} ago",
            "Curves and totals of transactions end there; what is usual is not held against later minutes.",
        ),
        Said(
            f"احتساب المعاملات متأخر {AGE}",
            "تنتهي منحنيات المعاملات ومجاميعها عند ذلك الوقت، ولا تُقارن الدقائق التالية بالمعتاد.",
        ),
    ),
    own(
        "ContinuityDeadLetters",
        "sum without (instance, pod) (increase(continuity_dead_letters_total[15m])) > 0",
        "warning",
        Said(
            "Records of {{ $labels.topic }} were set aside: {{ $labels.reason }}",
            "About {{ $value | humanize }} in 15 minutes could not be read or make no sense. `continuity "
            "dead-letters` shows them whole.",
        ),
        Said(
            "نُحّيت سجلات من {{ $labels.topic }}: {{ $labels.reason }}",
            "تعذّرت قراءة نحو {{ $value | humanize }} سجلًا في 15 دقيقة أو لم يكن لها معنى. الأمر continuity "
            "dead-letters يعرضها كاملة.",
        ),
        ("continuity_dead_letters_total",),
    ),
)
"""What the streams carry."""

PROBING = (
    own(
        "ContinuityLateness",
        "histogram_quantile(0.99, sum without (instance, pod) "
        "(rate(continuity_schedule_lateness_seconds_bucket[5m]))) > 1\n"
        "and sum without (instance, pod) (increase(continuity_schedule_lateness_seconds_count[5m])) >= 20",
        "warning",
        Said(
            "One beat in a hundred starts more than {{ $value | humanizeDuration }} late",
            "A prober is short of CPU, or its event loop is held up. Late starts do not make a service slow "
            "or down, but failures are seen later.",
        ),
        Said(
            "نبضة من كل مئة تتأخر عن موعدها أكثر من {{ $value | humanizeDuration }}",
            "ينقص الفاحصَ معالجٌ أو أن حلقته معطلة. لا يجعل التأخر خدمةً بطيئة أو متوقفة، لكن الأعطال تُرى "
            "بعد وقتها.",
        ),
        ("continuity_schedule_lateness_seconds_count",),
        for_s=300,
    ),
    own(
        "ContinuityBeatsMissed",
        "sum without (instance, pod) (increase(continuity_missed_beats_total[10m]))\n"
        "  / (sum without (instance, pod) (increase(continuity_schedule_lateness_seconds_count[10m])) > 0)\n"
        "  > 0.01\n"
        "and sum without (instance, pod) (increase(continuity_missed_beats_total[10m])) >= 5",
        "warning",
        Said(
            "{{ $value | humanizePercentage }} of the beats passed unasked",
            "What was not asked is unknown, never down. The prober was stopped, or has more checks than it "
            "can keep.",
        ),
        Said(
            "فات {{ $value | humanizePercentage }} من النبضات بلا فحص",
            "ما لم يُفحص يُعدّ غير معروف لا متوقفًا. إما أن الفاحص أُوقف أو أن عليه فحوصًا أكثر مما يحتمل.",
        ),
        ("continuity_missed_beats_total",),
    ),
    own(
        "ContinuityBuffer",
        "continuity_buffer_oldest_age_seconds > 60",
        "warning",
        Said(
            f"Observations have waited on a prober's disk for {AGE}",
            "The prober at {{ $labels.instance }} measures and cannot send. Until Kafka takes them the "
            "services it asks are shown as unknown.",
        ),
        Said(
            f"نتائج الفحص على قرص الفاحص منذ {AGE}",
            "يفحص الفاحص {{ $labels.instance }} ولا يستطيع الإرسال، وتظهر الخدمات التي يفحصها «غير معروفة» "
            "إلى أن يستلمها Kafka.",
        ),
        ("continuity_buffer_oldest_age_seconds",),
    ),
    own(
        "ContinuityBufferDropped",
        "sum without (instance, pod) (increase(continuity_buffer_dropped_total[15m])) > 0",
        "critical",
        Said(
            "Observations were given up: a prober's disk buffer is full",
            "About {{ $value | humanize }} in 15 minutes. Their time stays unknown for ever.",
        ),
        Said(
            "فُقدت نتائج فحص لامتلاء مخزن الفاحص",
            "نحو {{ $value | humanize }} نتيجة في 15 دقيقة، ويبقى وقتها غير معروف أبدًا.",
        ),
        ("continuity_buffer_dropped_total",),
    ),
    own(
        "ContinuityClockSkew",
        "abs(continuity_clock_skew_seconds) > 1",
        "warning",
        Said(
            "The clock of {{ $labels.instance }} is {{ $value | humanizeDuration }} off",
            "Measured against the broker. Past the limit of the policy its observations are marked. Set the "
            "clock (NTP).",
        ),
        Said(
            "ساعة {{ $labels.instance }} منحرفة {{ $value | humanizeDuration }}",
            "بالقياس إلى وسيط الرسائل. إذا تجاوز الانحراف حد السياسة وُسِمت نتائجها. اضبط الساعة (NTP).",
        ),
        ("continuity_clock_skew_seconds",),
        for_s=300,
    ),
    own(
        "ContinuityLoopHeldUp",
        "continuity_event_loop_lag_seconds > 0.5",
        "warning",
        Said(
            "A process of the monitor is held up for {{ $value | humanizeDuration }} at a time",
            "{{ $labels.instance }} does not get to its work in time: too little CPU, or something in it "
            "does not let go.",
        ),
        Said(
            "عملية من نظام المتابعة تتعطل {{ $value | humanizeDuration }} في كل مرة",
            "لا تدرك العملية {{ $labels.instance }} عملها في وقته: المعالج لا يكفي أو أن فيها ما يحجزها.",
        ),
        ("continuity_event_loop_lag_seconds",),
        for_s=300,
    ),
)
"""Probers, and any process."""

TELLING = (
    own(
        "ContinuityNoticesUndelivered",
        f"{REPLICAS} (continuity_notices_undelivered) > 0",
        "critical",
        Said(
            "{{ $value }} messages wait to be delivered",
            "People were not told of something for five minutes. The delivery log says which receiver "
            "refuses, and why.",
        ),
        Said(
            "{{ $value }} من الرسائل لم تُسلَّم",
            "لم يُبلَّغ أحد بأمرٍ ما منذ خمس دقائق. سجل التسليم يبيّن أي مستلم يرفض ولماذا.",
        ),
        ("continuity_notices_undelivered",),
        for_s=300,
    ),
    own(
        "ContinuityDeliveriesFailed",
        "sum without (instance, pod) (increase(continuity_deliveries_failed_total[15m])) >= 3",
        "warning",
        Said(
            "Deliveries to a receiver fail",
            "About {{ $value | humanize }} attempts failed in 15 minutes. Each is tried again; the delivery "
            "log says why.",
        ),
        Said(
            "يتعذّر التسليم إلى أحد المستلمين",
            "أخفقت نحو {{ $value | humanize }} محاولة في 15 دقيقة، وتُعاد كل منها. سجل التسليم يبيّن السبب.",
        ),
        ("continuity_deliveries_failed_total",),
    ),
)
"""What people get to know."""
