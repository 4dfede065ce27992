"""How one installation runs: addresses, ports, folders. Never published; secrets by reference only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import inspect

from monitor.config.alerts import AlertsSettings
from monitor.config.decode import BAD, Reading, decode, suggestion
from monitor.config.delivery import DeliverySettings
from monitor.config.source import Mark, Node, Scalar, Sequence, plain_secret
from monitor.config.transactions import TransactionsSettings
from probes.contract import SecretRef, resolve_secret

Meta = msgspec.Meta
Port = Annotated[int, Meta(ge=0, le=65535)]
Data = Annotated[str, Meta(min_length=1, description="A folder; relative to the working folder.")]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Secret = Annotated[SecretRef | None, Meta(description="Where the password is: `env:NAME` or `file:/path`.")]
PREFIX = "CONTINUITY_"
NOT_SETTINGS = frozenset({"CONTINUITY_CONFIG", "CONTINUITY_REPLACE"})  # of the command line and the demo


class KafkaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach Kafka and what our topics are called there."""

    bootstrap: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^\S+:\d+$", examples=["kafka:9092"])], ...],
        Meta(description="Brokers to begin with, as host:port.", examples=[["kafka:9092"]]),
    ] = ("127.0.0.1:9092",)
    topic_prefix: Annotated[str, Meta(description="Put before every topic's name.")] = ""
    group_prefix: Annotated[str, Meta(description="Put before every consumer group's name.")] = ""
    security: Annotated[
        Literal["plaintext", "sasl_plaintext", "ssl", "sasl_ssl"],
        Meta(description="Protocol of the brokers."),
    ] = "plaintext"
    mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], Meta(description="How to sign in by SASL.")
    ] = "SCRAM-SHA-256"
    user: Annotated[str, Meta(description="User name for SASL.")] = ""
    password: Secret = None
    ca: Annotated[str, Meta(description="PEM file of the authorities to trust; unset: the system's.")] = ""
    certificate: Annotated[str, Meta(description="PEM file of our own certificate.")] = ""
    key: Annotated[str, Meta(description="PEM file of its key.")] = ""
    replication_factor: Annotated[
        int, Meta(description="Copies of each partition of the topics we make.", ge=1, le=10)
    ] = 1
    partitions: Annotated[
        int, Meta(description="Partitions of the topics we make; never change it later.", ge=1, le=1000)
    ] = 12
    create_topics: Annotated[bool, Meta(description="Whether to make the topics that are missing.")] = True


class PostgresSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach PostgreSQL."""

    dsn: Annotated[
        str,
        Meta(
            description="Where it is, without the password.",
            pattern=r"^postgres(ql)?://\S*$",
            examples=["postgresql://continuity@db:5432/continuity"],
        ),
    ] = "postgresql://127.0.0.1:5432/continuity"
    password: Secret = None
    pool: Annotated[int, Meta(description="Connections at most, of each process.", ge=2, le=200)] = 8


class WebSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Pages and API."""

    host: Annotated[str, Meta(description="Address to listen on.", min_length=1)] = "127.0.0.1"
    port: Annotated[Port, Meta(description="Port to listen on; 0 takes any.")] = 8440
    public_url: Annotated[
        str, Meta(description="How others reach it, for links; unset: from host and port.")
    ] = ""

    @property
    def url(self) -> str:
        """Where to open the pages, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


class PublicSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The public pages: `derive` writes their folder, `public` serves it."""

    host: Annotated[str, Meta(description="Address to listen on.", min_length=1)] = "127.0.0.1"
    port: Annotated[Port, Meta(description="Port to listen on; 0 takes any.")] = 8450
    url: Annotated[
        str, Meta(description="How the public reaches them, for feeds and search engines; unset: relative.")
    ] = ""
    folder: Annotated[str, Meta(description="Where they are; unset: `public` in the data folder.")] = ""


class ProbeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The prober."""

    vantage: Annotated[
        str, Meta(description="Where this prober stands.", pattern=r"^[a-z0-9][a-z0-9-]*$", examples=["main"])
    ] = "main"


class PulseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Ports on which each role serves /metrics, /healthz and /readyz; 0 takes any."""

    host: Annotated[str, Meta(description="Address to listen on.", min_length=1)] = "127.0.0.1"
    probe: Annotated[Port, Meta(description="Port of `probe`.")] = 8441
    ingest: Annotated[Port, Meta(description="Port of `ingest`.")] = 8442
    derive: Annotated[Port, Meta(description="Port of `derive`.")] = 8443
    web: Annotated[Port, Meta(description="Port of `web` (its pages are on another).")] = 8444
    count: Annotated[Port, Meta(description="Port of `count`.")] = 8445
    public: Annotated[Port, Meta(description="Port of `public` (its pages are on another).")] = 8449
    notify: Annotated[Port, Meta(description="Port of `notify`.")] = 8446
    report: Annotated[Port, Meta(description="Port of `report`.")] = 8447


class ReportSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When the committee's report is published, and how it is written. Its week is the calendar's."""

    grace_s: Annotated[
        float, Meta(description="Time given to late data after the week ends, in seconds.", ge=0, le=172_800)
    ] = 3600.0
    deadline_s: Annotated[
        float,
        Meta(
            description="Seconds after the week's end at which it is published with what is in by then.",
            gt=0,
            le=604_800,
        ),
    ] = 21_600.0
    entities: Annotated[bool, Meta(description="Whether every entity gets a report of its own.")] = True
    certificates_days: Annotated[
        int, Meta(description="Certificates that end within so many days are named.", ge=1, le=365)
    ] = 30
    digits: Annotated[Literal["western", "arabic"], Meta(description="Digits of the Arabic edition.")] = (
        "western"
    )
    hijri: Annotated[bool, Meta(description="Whether the Hijri date stands beside the other one.")] = False
    review_s: Annotated[
        float,
        Meta(
            description="Seconds in which reviewers may read a weekly report as a draft. It is published "
            "when it is signed off, or after that time; 0: at once.",
            ge=0,
            le=604_800,
        ),
    ] = 0.0
    delivery: Annotated[DeliverySettings, Meta(description="Who is sent reports.")] = DeliverySettings()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about this installation."""

    kafka: KafkaSettings = KafkaSettings()
    postgres: PostgresSettings = PostgresSettings()
    web: WebSettings = WebSettings()
    public: PublicSettings = PublicSettings()
    probe: ProbeSettings = ProbeSettings()
    pulse: PulseSettings = PulseSettings()
    transactions: TransactionsSettings = TransactionsSettings()
    report: ReportSettings = ReportSettings()
    alerts: AlertsSettings = AlertsSettings()
    data: Data = "data"
    log_level: LogLevel = "INFO"

    @property
    def data_folder(self) -> Path:
        return Path(self.data).expanduser()

    @property
    def public_folder(self) -> Path:
        given = self.public.folder
        return Path(given).expanduser() if given else self.data_folder / "public"


def secret(reference: str | None) -> str:
    """The secret behind a reference, "" for none. Raises SecretUnavailable, naming the reference only."""
    return resolve_secret(reference) if reference else ""


def from_environment(settings: Settings, environ: Mapping[str, str], reading: Reading) -> Settings:
    """The settings with what `CONTINUITY_<SECTION>_<KEY>` says, such as CONTINUITY_POSTGRES_DSN.

    Lists are separated by commas. Mistakes are noted under the variable's name.
    """
    known = variables()
    for name in sorted(name for name in environ if name.startswith(PREFIX)):
        if name in NOT_SETTINGS:
            continue
        if name not in known:
            near = suggestion(name, known) or "; docs/configuration.md lists them"
            reading.note(Mark(name), f"no setting has this name{near}", level="warning")
            continue
        if problem := plain_secret(environ[name]):
            reading.note(Mark(name), problem)
        section, key, hint = known[name]
        value = decode(_node(Mark(name), environ[name], hint), hint, reading)
        if value is not BAD:
            settings = _with(settings, section, key=key, value=value)
    return settings


def _node(mark: Mark, text: str, hint: Any) -> Node:
    info = inspect.type_info(hint)
    if isinstance(info, inspect.Metadata) and isinstance(info.type, inspect.VarTupleType):
        return Sequence(mark, [Scalar(mark, item.strip(), plain=False) for item in text.split(",")])
    return Scalar(mark, text, plain=bool(text))


def _with(settings: Settings, section: str, *, key: str, value: Any) -> Settings:
    if section:
        part = msgspec.structs.replace(getattr(settings, section), **{key: value})
        return msgspec.structs.replace(settings, **{section: part})
    return msgspec.structs.replace(settings, **{key: value})


def variables() -> dict[str, tuple[str, str, Any]]:
    """Every environment variable: its section ("" at the top), key and type."""
    found: dict[str, tuple[str, str, Any]] = {}
    for field, hint in get_type_hints(Settings, include_extras=True).items():
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            for key, below in get_type_hints(hint, include_extras=True).items():
                if key in ("sources", "receivers", "delivery"):  # tables do not fit into a variable
                    continue
                found[f"{PREFIX}{field}_{key}".upper()] = field, key, below
        else:
            found[f"{PREFIX}{field}".upper()] = "", field, hint
    return found
