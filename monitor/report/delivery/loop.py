"""Sends what is due: claimed by a lease that expires, sent outside any transaction, recorded.

Killed between acceptance and record, the same goes out once more with the same key and Message-ID.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from monitor.config.delivery import DeliverySettings, Recipient
from monitor.errors import FileNotMade, StoreUnavailable
from monitor.lifetime import Backoff, Stop
from monitor.log import Log
from monitor.model import GOVERNMENT
from monitor.outcome import Fate, Outcome, retry_s
from monitor.report import document as documents
from monitor.report.delivery import ways
from monitor.report.delivery.letter import Letter, letter
from monitor.report.delivery.metrics import DeliveryMetrics
from monitor.report.document import About, Document
from monitor.report.files import File, file_of
from monitor.store import report_deliveries as table
from monitor.store import report_drafts
from monitor.store.pool import Store
from monitor.store.report_deliveries import Claimed

log = Log(__name__)
LOOK_S = 2.0
LEASE_S = 300.0  # longer than making the files, any deadline of sending, and RECORD_S
RECORD_S = 60.0
AT_ONCE = 4
RETRY_MAX_S = 1_800.0
TRIES_MAX = 48  # over a night, and a weekend's morning
STRANGER_S = 86_400.0  # by then every process knows the settings of today
HOST = "continuity.invalid"  # right side of Message-IDs where the pages have no name


class Where(NamedTuple):
    """How others reach the pages."""

    url: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or HOST

    def page(self, about: About, *, draft: bool) -> str:
        return self._to(about, _path(about, draft=draft))

    def file(self, about: About, form: str, language: str, *, draft: bool) -> str:
        version = {} if draft else {"version": about.version}  # there is one draft of a label
        return self._to(about, f"{_path(about, draft=draft)}/files/{form}", **version, lang=language)

    def _to(self, about: About, path: str, **query: object) -> str:
        if about.scope != GOVERNMENT:
            query["entity"] = about.slug
        return f"{self.url}{path}" + (f"?{urlencode(query)}" if query else "")


def _path(about: About, *, draft: bool) -> str:
    return f"/reports/{quote(about.label)}" + ("/draft" if draft else "")


class Delivering:
    """One process's part of the work; any number may do it."""

    def __init__(
        self, store: Store, *, settings: DeliverySettings, url: str, metrics: DeliveryMetrics
    ) -> None:
        self._store, self._settings, self._where = store, settings, Where(url)
        self._metrics = metrics
        self._by_name = {one.name: one for one in settings.recipients}

    async def run(self, stop: Stop) -> None:
        """Until `stop`; what is on its way is finished."""
        backoff = Backoff()
        while not stop.requested:
            try:
                await self.turn(stop)
                backoff.reset()
                await stop.pause(LOOK_S)
            except StoreUnavailable as error:
                log.warning("report.store_away", why=str(error))
                await stop.pause(backoff.next_s())

    async def turn(self, stop: Stop) -> None:
        """Everything that is due. Raises StoreUnavailable."""
        if self._by_name:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._send_all(stop)) for _ in range(AT_ONCE)]
            for away in filter(None, (task.result() for task in tasks)):
                raise away
        await self._measure()

    async def _measure(self) -> None:
        """The same in every process, whoever leads: what people do not have yet."""
        await table.give_up_strangers(self._store, self._by_name, waited_s=STRANGER_S)
        found, drafts = await table.standing(self._store), await report_drafts.waiting(self._store)
        self._metrics.waiting.set(found.waiting)
        self._metrics.since_s.set((found.since_ms or 0) / 1000)
        self._metrics.given_up.set(found.given_up)
        self._metrics.drafts.set(len(drafts))
        self._metrics.draft_until_s.set(min((each.review_until_ms for each in drafts), default=0) / 1000)

    async def _send_all(self, stop: Stop) -> StoreUnavailable | None:
        """One after the other until nothing is due; why it ended before."""
        try:
            while not stop.requested:
                lease = secrets.token_hex(8)
                claimed = await table.claim(self._store, self._by_name, lease=lease, lease_s=LEASE_S)
                if claimed is None:
                    break
                outcome = await self._send(claimed, self._by_name[claimed.recipient])
                await self._write_down(claimed, outcome)
        except StoreUnavailable as error:  # the lease runs out
            return error
        return None

    async def _send(self, one: Claimed, to: Recipient) -> Outcome:
        """One try; the key is the same in every one."""
        document = documents.decode(one.document)
        draft = one.which.stage == "draft"
        link = self._where.page(document.about, draft=draft)
        told = _letter(one, document, to, link)
        key = f"continuity-report-{one.id}-{one.made_ms}"
        if to.webhook:
            return await ways.to_webhook(to.webhook, self._links(one, document, to, told), key=key)
        try:
            files = await asyncio.to_thread(files_of, one.document, to, draft=draft)
        except FileNotMade as error:
            return Outcome(Fate.PASSING, str(error))
        if to.folder:
            return await ways.to_folder(to.folder, files)
        message_id = f"<{key}@{self._where.host}>"
        return await ways.by_mail(self._settings.smtp, to.mail, told, files, message_id=message_id)

    def _links(self, one: Claimed, document: Document, to: Recipient, told: Letter) -> dict[str, Any]:
        """What a webhook is told."""
        draft, about = one.which.stage == "draft", document.about
        links = {form: self._where.file(about, form, to.language, draft=draft) for form in to.files}
        return {
            "event": f"report.{one.which.stage}",
            "scope": about.scope,
            "label": about.label,
            "version": about.version,
            "sample": about.sample,
            "sha256": documents.digest(one.document),
            "language": to.language,
            "title": told.title,
            "lines": [*told.lines, *told.outages, *told.asked],
            "links": {"page": told.link, **links},
        }

    async def _write_down(self, one: Claimed, outcome: Outcome) -> None:
        """What somebody has taken is sent again only after a crash: tried while the lease is ours.

        Raises StoreUnavailable when PostgreSQL stays away.
        """
        backoff, until = Backoff(), time.monotonic() + RECORD_S
        while True:
            try:
                return await self._record(one, outcome)
            except StoreUnavailable as error:
                if time.monotonic() >= until:
                    raise
                log.warning("report.not_recorded", to=one.recipient, why=str(error))
                await asyncio.sleep(backoff.next_s())

    async def _record(self, one: Claimed, outcome: Outcome) -> None:
        which = one.which
        if outcome.fate is Fate.ACCEPTED:
            await table.close(self._store, one, state="sent", said=outcome.said)
            self._metrics.sent.labels(one.recipient).inc()
            log.info("report.sent", to=one.recipient, label=which.label, stage=which.stage)
            return
        chance = random.random()  # noqa: S311 - jitter, not a secret
        wait_s = retry_s(outcome, tries=one.tries, chance=chance, most_s=RETRY_MAX_S, tries_max=TRIES_MAX)
        if wait_s is None:
            await table.close(self._store, one, state="failed", said=outcome.said)
        else:
            await table.again(self._store, one, in_s=wait_s, said=outcome.said)
        self._metrics.failed.labels(one.recipient).inc()
        log.warning("report.not_taken", to=one.recipient, label=which.label, said=outcome.said)


def _letter(one: Claimed, document: Document, to: Recipient, link: str) -> Letter:
    until_ms, remade = one.review_until_ms, one.remade
    return letter(document, to.language, link=link, review_until_ms=until_ms, remade=remade)


def files_of(text: bytes, to: Recipient, *, draft: bool) -> list[File]:
    """What a recipient is sent along. Raises FileNotMade."""
    return [file_of(text, form, to.language, draft=draft) for form in to.files]
