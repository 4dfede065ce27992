"""Alerts on what is given out: the reports, their delivery, the public's pages. For the platform team too."""

from __future__ import annotations

from dashboards.alert import Said
from dashboards.own import AGE, REPLICAS, older, own, past

GIVEN_OUT = (
    own(
        "ContinuityReportLate",
        f"{REPLICAS} (continuity_reports_waiting) > 0",
        "critical",
        Said(
            "{{ $value }} weekly reports are late",
            "Their week ended three hours ago or more and they are not published: data is missing, or the "
            "role report stands still.",
        ),
        Said(
            "{{ $value }} من التقارير الأسبوعية متأخرة",
            "انتهى أسبوعها منذ ثلاث ساعات على الأقل ولم تُنشر: إما أن بياناتٍ ناقصة أو أن الدور report متوقف.",
        ),
        ("continuity_reports_waiting",),
        for_s=3 * 3600,
    ),
    own(
        "ContinuityReportOverdue",
        f"{past('continuity_report_due_timestamp_seconds', 900)}\n"
        f"or {past('continuity_report_draft_until_timestamp_seconds', 900)}",
        "critical",
        Said(
            f"A report was due {AGE} ago and nobody published it",
            "The week has ended, or the time of its reviewers is over, and the role report has not acted: no "
            "process of it leads, or it does not reach PostgreSQL.",
        ),
        Said(
            f"فات موعد تقرير منذ {AGE} ولم يُنشر",
            "انتهى الأسبوع أو انقضت مهلة المراجعين، ولم يتحرك الدور report: إما أنه بلا عملية قائدة أو "
            "أنه لا يصل إلى PostgreSQL.",
        ),
        (
            "continuity_report_due_timestamp_seconds",
            "continuity_report_draft_until_timestamp_seconds",
        ),
    ),
    own(
        "ContinuityReportDeliveryFailing",
        past("continuity_report_deliveries_waiting_since_timestamp_seconds", 3600),
        "warning",
        Said(
            f"A report has waited {AGE} to be delivered",
            "A recipient does not take it, or no process of the role report sends. It is tried again by "
            "itself; `continuity report deliveries` says who waits and what was answered.",
        ),
        Said(
            f"تقرير بانتظار التسليم منذ {AGE}",
            "لا يستلمه أحد المستلمين، أو أن الدور report لا يرسل. تُعاد المحاولة تلقائيًا، والأمر continuity "
            "report deliveries يبيّن من ينتظر وما كان الرد.",
        ),
        ("continuity_report_deliveries_waiting_since_timestamp_seconds",),
    ),
    own(
        "ContinuityReportDeliveryGivenUp",
        f"{REPLICAS} (continuity_report_deliveries_given_up) > 0",
        "warning",
        Said(
            "{{ $value }} deliveries of reports were given up",
            "Somebody does not have a report and it is no longer tried. Mend the cause that `continuity "
            "report deliveries` shows, then send it again with `continuity report deliver`.",
        ),
        Said(
            "توقفت محاولات تسليم {{ $value }} من التقارير",
            "هناك من لم يصله التقرير ولن تُعاد المحاولة. عالج السبب الذي يبيّنه الأمر continuity report "
            "deliveries، ثم أعد الإرسال بالأمر continuity report deliver.",
        ),
        ("continuity_report_deliveries_given_up",),
    ),
    own(
        "ContinuityPublicStale",
        "time() - continuity_public_as_of_timestamp_seconds > 300\n"
        f"or on () {older('continuity_public_written_timestamp_seconds', 300)}",
        "critical",
        Said(
            "The public's pages are older than five minutes",
            "They say so themselves, and call no service available or down for certain. Their folder is not "
            "written, or what serves it does not see what is.",
        ),
        Said(
            "مضى على صفحات الجمهور أكثر من خمس دقائق دون تحديث",
            "تُنبّه الصفحات نفسها إلى ذلك، ولا تؤكد توافر خدمة أو توقفها. إما أن مجلدها لا يُكتب أو أن من "
            "يعرضه لا يرى ما كُتب.",
        ),
        ("continuity_public_as_of_timestamp_seconds", "continuity_public_written_timestamp_seconds"),
    ),
)
