"""The only place that speaks to Grafana: what it refuses becomes a sentence with the remedy.

grafana-client is not among the monitor's own libraries: it brings urllib3-future, which puts itself in the
place of urllib3 at every start of Python, and so would serve apprise and jgo too. So it stands apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from monitor.errors import MonitorError, UsageError
from monitor.grafana.files import Json

WITHIN_S = 15.0  # for each request
Answer = TypeVar("Answer")
MISSING = (
    "pushing needs grafana-client, which stands apart from the monitor's own libraries: `make grafana` "
    "installs it, then `.venv/grafana/bin/continuity dashboards push …`; or `continuity dashboards write "
    "DIR` and copy the files"
)
REMEDIES = {
    401: "it does not know this token: make a service account with a token in Grafana (Administration, Users "
    "and access), and put the token where --token says",
    403: "the token may not do this: its service account needs the role Editor, and Admin for data sources",
    409: "something else has this name there: rename it in Grafana, or push into it with --folder UID",
    412: "something else has this name, or was changed meanwhile: look at it in Grafana, then run this again",
}


class Client:
    """A Grafana, and the token it is asked with."""

    def __init__(self, url: str, token: str) -> None:
        self._url = _checked(url)
        try:
            from grafana_client import GrafanaApi
            from grafana_client.client import TokenAuth
        except ModuleNotFoundError as error:
            raise MonitorError(MISSING) from error
        self._api = GrafanaApi.from_url(self._url, credential=TokenAuth(token), timeout=WITHIN_S)

    def folder(self, uid: str) -> Json | None:
        """None when there is none."""
        return self._found(lambda: self._api.folder.get_folder(uid))

    def create_folder(self, uid: str, title: str) -> None:
        """One that somebody else made in between is as good."""
        try:
            self._done(f"folder {title}", lambda: self._api.folder.create_folder(title, uid))
        except Refused as error:
            there = self.folder(uid) if error.status == 412 else None
            if there is None or there["title"] != title:
                raise

    def rename_folder(self, uid: str, title: str) -> None:
        self._done(f"folder {title}", lambda: self._api.folder.update_folder(uid, title, overwrite=True))

    def source(self, uid: str) -> Json | None:
        """None when there is none."""
        return self._found(lambda: self._api.datasource.get_datasource_by_uid(uid))

    def create_source(self, source: Json) -> None:
        self._done(f"data source {source['name']}", lambda: self._api.datasource.create_datasource(source))

    def change_source(self, uid: str, source: Json) -> None:
        change = self._api.datasource.update_datasource_by_uid
        self._done(f"data source {source['name']}", lambda: change(uid, source))

    def dashboard(self, uid: str) -> Json | None:
        """None when there is none."""
        return self._found(lambda: self._api.dashboard.get_dashboard(uid))

    def put_dashboard(self, dashboard: Json, *, folder: str) -> None:
        """Make it, or put it in the place of the one with its uid."""
        how = {"folderUid": folder, "overwrite": True, "message": "continuity dashboards push"}
        body = {"dashboard": dashboard | {"id": None}, **how}
        self._done(f"dashboard {dashboard['title']}", lambda: self._api.dashboard.update_dashboard(body))

    def _found(self, ask: Callable[[], Json]) -> Json | None:
        try:
            return self._done("", ask)
        except Refused as error:
            if error.status == 404:
                return None
            raise

    def _done(self, what: str, ask: Callable[[], Answer]) -> Answer:
        with _saying_why(self._url, what):
            return ask()


class Refused(MonitorError):
    """Grafana said no."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def _checked(url: str) -> str:
    """With a slash at its end, so that a path in front of Grafana's own stays apart. Raises UsageError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"--url must be as https://grafana.example, not {parts.scheme}://{parts.hostname or ''}"
        )
    if parts.username or parts.password:
        raise UsageError(
            "--url takes no user and password: --token env:NAME or file:/path says where a token is"
        )
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + "/", "", ""))


@contextmanager
def _saying_why(url: str, what: str) -> Iterator[None]:
    import niquests
    from grafana_client.client import GrafanaException

    try:
        yield
    except GrafanaException as error:
        if not error.status_code:
            raise MonitorError(f"Grafana at {url} did not answer within {WITHIN_S:g} s") from error
        raise Refused(_sentence(url, what, error.status_code, error.response), error.status_code) from error
    except niquests.RequestException as error:
        raise MonitorError(f"Grafana at {url} cannot be reached: {type(error).__name__}") from error
    except ValueError as error:
        raise MonitorError(f"what answers at {url} is no Grafana: it did not say JSON") from error


def _sentence(url: str, what: str, status: int, response: Any) -> str:
    said = response.get("message", "") if isinstance(response, dict) else ""
    refused = (
        f"Grafana at {url} refused{f' the {what}' if what else ''} ({status}{f', {said!r}' if said else ''})"
    )
    return f"{refused}: {REMEDIES[status]}" if status in REMEDIES else refused
