"""docs/configuration.md, made from the declarations: every key with its type, its default and its meaning."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from monitor.config import (
    alerts,
    delivery,
    form,
    incidents,
    objectives,
    public,
    schema,
    settings,
    transactions,
)
from monitor.model import Catalogue, Check, Text
from probes import assertions, http_settings
from probes import dns_settings as dns
from probes import http_settings as http
from probes import icmp_settings as icmp
from probes import tcp_settings as tcp
from probes import tls_settings as tls

DOCUMENT = Path("docs/configuration.md")
SCHEMA = Path("config/schema.json")

SECTIONS: dict[type, str] = {
    form.File: "The files",
    form.ServiceForm: "`services:` a service",
    form.ChannelForm: "`channels:` a channel of a service",
    form.SystemForm: "`systems:` a system",
    form.EntityForm: "`entities:` an entity",
    form.ContactForm: "`contacts:` a contact",
    form.DependencyForm: "`depends:` a dependency",
    form.CheckForm: "`checks:` a check",
    objectives.ClassForm: "`classes:` a class of services",
    objectives.ObjectivesForm: "`objectives:` of a class or a service",
    objectives.ObjectiveForm: "`availability:`, `latency:`, `completion:` one promise",
    objectives.BurnForm: "`burn:` when somebody is told that a budget burns",
    http.Settings: "`http:`",
    assertions.Text: "`text_present:`, `text_absent:` a text of the body",
    assertions.Header: "`assert_headers:` a header of the answer",
    assertions.Json: "`assert_json:` a place in a JSON document",
    http_settings.Basic: "`basic:` sign in by name and password",
    http_settings.SecretHeader: "`secret_headers:` a header whose value is a secret",
    tls.Settings: "`tls:`",
    tcp.Settings: "`tcp:`",
    dns.Settings: "`dns:`",
    icmp.Settings: "`icmp:`",
    form.Tuning: "`profiles:` a profile",
    form.PolicyForm: "`policy:`",
    form.ExpectingForm: "`expected:` what is usual, under `policy:`",
    form.CalendarForm: "`calendar:`",
    form.HolidayForm: "`holidays:` a holiday",
    form.RamadanForm: "`ramadan:` one year's",
    incidents.IncidentsForm: "`incidents:` when people are told, under `policy:`",
    public.PublicForm: "`public:` when the public is told, under `policy:`",
    Text: "A name in both languages",
    transactions.Source: "`sources:` a topic of others",
    transactions.Place: "`service:`, `channel:`, `outcome:` where a source has them",
    settings.KafkaSettings: "`kafka:`",
    settings.PostgresSettings: "`postgres:`",
    settings.WebSettings: "`web:`",
    settings.PublicSettings: "`public:` where the public pages are",
    settings.ProbeSettings: "`probe:`",
    settings.PulseSettings: "`pulse:`",
    transactions.TransactionsSettings: "`transactions:`",
    settings.ReportSettings: "`report:` when the report is published",
    delivery.DeliverySettings: "`delivery:` who is sent reports, under `report:`",
    delivery.SmtpSettings: "`smtp:` the mail server",
    delivery.Recipient: "`recipients:` who is sent reports",
    alerts.AlertsSettings: "`alerts:`",
    alerts.Receiver: "`receivers:` somebody who is told",
}

MEANINGS: dict[tuple[type, str], str] = {  # of declarations that say it by their name alone
    (Text, "en"): "In English.",
    (Text, "ar"): "In Arabic.",
    (http_settings.Basic, "user"): "The user name.",
    (http_settings.Basic, "password"): "Where the password is: `env:NAME` or `file:/path`.",
    (http_settings.SecretHeader, "name"): "The header's name.",
    (http_settings.SecretHeader, "value"): "Where its value is: `env:NAME` or `file:/path`.",
}

OPENING = """# Configuration

<!-- Made by `python -m monitor.config.reference` from the declarations; a test compares it. -->

The monitor reads every `*.yaml` file of one folder, or a single file. This is complete:

```yaml
services: [{slug: passport, url: https://passport.example/}]
```

It is one service on one web channel, remote, which finishes the whole service; its address is asked by HTTP
every 30 seconds. `continuity check config` reads everything, names every mistake as
`file:line:column: what is wrong, what is allowed`, and starts nothing.

A larger catalogue usually lies as `monitor.yaml`, `entities.yaml`, `systems.yaml` and `services/*.yaml`
(and `calendar/*.yaml`, with the holidays of one year each),
but any key may stand in any file: lists are joined, and a key with one value is given once. The folders
`journeys/` and `evaluation/` are read by other parts and ignored here.

- **YAML 1.2**: `no` is text, `012` is twelve. No anchors, merge keys or tags: name a profile instead.
- **Slugs are for ever.** They are part of stored names, metric labels and addresses. Rename by `was: [old]`.
- **Secrets by reference only**: `env:NAME` or `file:/path`. A secret in plain is refused.
- **Short forms**: a check may be an address (`checks: [tcp://mail.example:25]`), a kind's settings may be one
  (`tcp: mail.example:25`), `depends: [identity]` means that it blocks, and `address: host:port` stands for
  the two.
- **What a check does not say** comes from the profile it names, else from the nearest profile above it
  (channel, service or system, file), else from the profile called `default`, else from the default below.
- **Editors** complete with `config/schema.json`: begin a file with
  `# yaml-language-server: $schema=schema.json`.
"""

ENVIRONMENT = """## Environment

Each key of the sections from `kafka:` on, and `data` and `log_level`, can be set by a variable, which
wins over the files: `CONTINUITY_<SECTION>_<KEY>`; the tables `sources`, `receivers` and `delivery` cannot.
Lists are separated by commas. Passwords are references here too.

| variable | sets |
| --- | --- |
"""


def document() -> str:
    """The whole reference."""
    parts = [OPENING]
    parts += [_section(cls, title) for cls, title in SECTIONS.items()]
    rows = [f"| `{name}` | `{_dotted(*where[:2])}` |" for name, where in settings.variables().items()]
    return "\n".join([*parts, ENVIRONMENT + "\n".join(rows)]) + "\n"


def _dotted(section: str, key: str) -> str:
    return f"{section}.{key}" if section else key


def _section(cls: type, title: str) -> str:
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    rows = [_row(cls, field) for field in info.fields]
    if {"host", "port"} <= {field.name for field in info.fields} and info.fields[0].required:
        rows.insert(2, "| `address` | text |  | Short for `host` and `port`: `host:port`. |")
    said = (cls.__doc__ or "").strip().splitlines()[0]
    head = "| key | type | default | meaning |\n| --- | --- | --- | --- |\n"
    return f"## {title}\n\n{said}\n\n{head}" + "\n".join(rows) + "\n"


def _row(cls: type, field: inspect.Field) -> str:
    info, described, example = field.type, MEANINGS.get((cls, field.name), ""), ""
    if isinstance(info, inspect.Metadata):
        extra = info.extra_json_schema or {}
        described, example = extra.get("description", described), extra.get("examples", [""])[0]
        info = info.type
    if example != "":
        written = example if isinstance(example, str) else msgspec.json.encode(example).decode()
        described += f" Example: `{written}`."
    cells = (f"`{field.name}`", _type(info), _default(cls, field), described.strip())
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(cls: type, field: inspect.Field) -> str:
    if field.required:
        return "required"
    value = {} if field.default is msgspec.NODEFAULT else field.default
    if value is None:
        value = _when_unset(cls, field.name)
    if value is None or isinstance(value, msgspec.Struct) or value in ("", (), {}):
        return ""
    return f"`{msgspec.json.encode(value).decode()}`"


def _when_unset(cls: type, key: str) -> object:
    """What the model takes where the files say nothing."""
    if issubclass(cls, form.Tuning) and key in form.TUNED and key not in ("within_s", "vantages"):
        return {each.name: each.default for each in msgspec.structs.fields(Check)}[key]
    if cls is form.File:
        value = getattr(Catalogue(), key, getattr(settings.Settings(), key, None))
        return None if isinstance(value, msgspec.Struct) else value
    return None


NAMES: dict[type, str] = {
    inspect.BoolType: "true or false",
    inspect.StrType: "text",
    inspect.IntType: "whole number",
    inspect.FloatType: "number",
}


def _type(info: Any) -> str:
    if isinstance(info, inspect.Metadata):
        return _type(info.type)
    if isinstance(info, inspect.UnionType):
        return " or ".join(_type(each) for each in info.types if not isinstance(each, inspect.NoneType))
    if isinstance(info, inspect.LiteralType):
        return ", ".join(f"`{value}`" for value in info.values)
    if isinstance(info, inspect.EnumType):
        return ", ".join(f"`{member.value}`" for member in info.cls)
    if isinstance(info, (inspect.VarTupleType, inspect.ListType)):
        return f"list of {_type(info.item_type)}"
    if isinstance(info, inspect.DictType):
        return f"table of {_type(info.value_type)}"
    if isinstance(info, inspect.StructType):
        return f"[table](#{_anchor(SECTIONS[info.cls])})"
    if isinstance(info, inspect.StrType) and info.pattern == form.SLUG:
        return "slug"
    return NAMES[type(info)]


def _anchor(title: str) -> str:
    """The heading's anchor, as repositories' pages make it."""
    kept = "".join(each for each in title.lower() if each.isalnum() or each in " -_")
    return kept.replace(" ", "-")


def main() -> int:
    """Write the reference and the schema beside the sources they are made from."""
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(document(), encoding="utf-8")
    SCHEMA.write_text(schema.as_text(), encoding="utf-8")
    sys.stdout.write(f"wrote {DOCUMENT} and {SCHEMA}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
