"""From what was written to the model: profiles, short forms and references resolved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from monitor.config import objectives
from monitor.config.calendar import expand_calendar
from monitor.config.decode import Reading, suggestion
from monitor.config.form import (
    KIND_KEYS,
    TUNED,
    ChannelForm,
    CheckForm,
    ContactForm,
    DependencyForm,
    EntityForm,
    File,
    HolidayForm,
    PolicyForm,
    ServiceForm,
    SystemForm,
    Tuning,
)
from monitor.model import (
    IN_PERSON,
    Catalogue,
    Channel,
    ChannelKind,
    Check,
    Contact,
    Dependency,
    Entity,
    Policy,
    Service,
    System,
    Text,
)
from monitor.objectives import Objective
from probes.catalogue import Ask, from_url

EVERY_S: float = next(field.default for field in msgspec.structs.fields(Check) if field.name == "every_s")
WITHIN_S = 10.0  # unless the interval is too short for it
WITHIN_SHARE = 0.8
LANGUAGE_NAMES = {"en": "English", "ar": "Arabic"}
DEFAULT_PROFILE = "default"


class Written(NamedTuple):
    """All files together. `names` holds every slug that was written, also of things that were refused."""

    files: tuple[File, ...]
    single: dict[str, object]  # keys that may be given once
    names: dict[str, set[str]]


class Made(NamedTuple):
    """A check with what it was made of, for the rules."""

    check: Check
    form: CheckForm | str
    owner: ServiceForm | ChannelForm | SystemForm
    profile: Tuning | None


class Expander:
    """Makes the model out of the files, and notes each reference that leads nowhere."""

    def __init__(self, written: Written, reading: Reading) -> None:
        self._written, self._reading = written, reading
        self.made: list[Made] = []
        self._languages: tuple[str, ...] = written.single.get("languages") or ("en",)  # type: ignore[assignment]
        self._vantages: tuple[str, ...] = written.single.get("vantages") or ("main",)  # type: ignore[assignment]
        self._profiles = {name: p for file in written.files for name, p in file.profiles.items()}
        self._paths: dict[str, str] = {}  # of systems, by slug
        self._renamed: dict[tuple[str, str], str] = {}
        self._classes = {
            form.slug: form for file in reversed(written.files) for form in reversed(file.classes)
        }
        self.promised: dict[str, tuple[objectives.Place, ...]] = {}  # by the service's slug

    def catalogue(self) -> Catalogue:
        """The catalogue, as far as it could be understood."""
        files, single = self._written.files, self._written.single
        for file in files:
            for system in file.systems:
                self._paths[system.slug] = f"system:{_key(system)}"
            for section in ("entities", "systems"):
                for form in getattr(file, section):
                    self._renamed |= {(section, old): form.slug for old in form.was}
        policy, government = single.get("policy"), single.get("government")
        usual = Catalogue()
        return Catalogue(
            sample=bool(single.get("sample")),
            government=_text(government) if government else usual.government,  # type: ignore[arg-type]
            languages=self._languages,
            zone=str(single.get("zone") or usual.zone),
            calendar=expand_calendar(single.get("calendar"), files, self._holiday),
            policy=_policy(policy) if isinstance(policy, PolicyForm) else usual.policy,
            entities=tuple(self._entity(form) for file in files for form in file.entities),
            systems=tuple(self._system(form, file) for file in files for form in file.systems),
            services=tuple(self._service(form, file) for file in files for form in file.services),
        )

    def _entity(self, form: EntityForm) -> Entity:
        return Entity(
            slug=form.slug,
            name=self._name(form),
            contacts=self._contacts(form.contacts),
            runbook=form.runbook or "",
            was=form.was,
        )

    def _system(self, form: SystemForm, file: File) -> System:
        return System(
            slug=form.slug,
            name=self._name(form),
            kind=form.kind,
            entity=self._entity_of(form, file),
            contacts=self._contacts(form.contacts),
            runbook=form.runbook or "",
            checks=self._checks(form, f"system:{_key(form)}", (form, file)),
            depends=self._depends([form]),
            was=form.was,
        )

    def _service(self, form: ServiceForm, file: File) -> Service:
        subject = f"service:{_key(form)}"
        return Service(
            slug=form.slug,
            name=self._name(form),
            entity=self._entity_of(form, file),
            known_as=form.known_as,
            channels=self._channels(form, subject, file),
            hours=form.hours or "",
            objectives=self._objectives(form),
            runbook=form.runbook or "",
            was=form.was,
        )

    def _objectives(self, form: ServiceForm) -> tuple[Objective, ...]:
        given = self._classes.get(form.class_ or DEFAULT_PROFILE)
        if given is None and form.class_ is not None and form.class_ not in self._written.names["classes"]:
            near = suggestion(form.class_, sorted(self._classes), or_list=True)
            self._reading.say(f"no class is called `{form.class_[:40]}`{near}", form, "class")
        found = objectives.merged(given.objectives if given else None, form.objectives)
        self.promised[form.slug] = found
        return tuple(place.objective for place in found)

    # names and contacts

    def _holiday(self, form: HolidayForm) -> Text:
        name = _text(form.name)
        if self._languages != ("en",) or self._reading.wrote(form, "name"):
            self._complete(name, form, form.date)
        return name

    def _name(self, form: EntityForm | SystemForm | ServiceForm) -> Text:
        name = _text(form.name)
        if self._languages == ("en",):
            return name if name.en else Text(en=_titled(form.slug), ar=name.ar)
        self._complete(name, form, form.slug)
        return name

    def _complete(self, name: Text, form: object, whose: str) -> None:
        """Note each language that is asked for and missing."""
        missing = [LANGUAGE_NAMES[each] for each in self._languages if not getattr(name, each).strip()]
        if missing:
            place = "name" if self._reading.wrote(form, "name") else "slug"
            wanted = ", ".join(f"{each}: …" for each in self._languages)
            self._reading.say(
                f"`{whose}` has no name in {' and '.join(missing)}: write `name: {{{wanted}}}`", form, place
            )

    def _contacts(self, forms: Iterable[ContactForm]) -> tuple[Contact, ...]:
        contacts = []
        for form in forms:
            name, role = _text(form.name), _text(form.role)
            if form.name is not None:
                self._complete(name, form, role.get("en"))
            contacts.append(
                Contact(role=role, name=name, phone=form.phone, mail=form.mail or "", hours=form.hours)
            )
        return tuple(contacts)

    # references

    def _entity_of(self, form: SystemForm | ServiceForm, file: File) -> str:
        slug, place = (form.entity, form) if form.entity is not None else (file.entity, file)
        if slug is None:
            return ""
        if slug not in self._written.names["entities"]:
            self._reading.say(self._unknown("entities", slug, what="entity"), place, "entity")
        return slug

    def _unknown(self, section: str, slug: str, *, what: str) -> str:
        if (section, slug) in self._renamed:
            return f"{what} `{slug}` is now called `{self._renamed[section, slug]}`"
        return f"no {what} is called `{slug[:40]}`{suggestion(slug, sorted(self._written.names[section]))}"

    def _depends(self, forms: Sequence[ServiceForm | ChannelForm | SystemForm]) -> tuple[Dependency, ...]:
        """What the forms need; the later form's word on a system counts."""
        found: dict[str, Dependency] = {}
        for form in forms:
            seen: set[str] = set()
            for item in form.depends:
                need = item if isinstance(item, DependencyForm) else DependencyForm(system=item)
                where = (
                    (item, "system") if isinstance(item, DependencyForm) else (form, "depends", need.system)
                )
                if need.system in seen:
                    self._reading.say(f"system `{need.system}` is needed twice in one list", *where)
                elif need.system in self._paths:
                    path = self._paths[need.system]
                    found[path] = Dependency(system=path, effect=need.effect)
                elif need.system not in self._written.names["systems"] or self._is_old(need.system):
                    self._reading.say(self._unknown("systems", need.system, what="system"), *where)
                seen.add(need.system)
        return tuple(found.values())

    def _is_old(self, slug: str) -> bool:
        return ("systems", slug) in self._renamed

    # channels and checks

    def _channels(self, form: ServiceForm, subject: str, file: File) -> tuple[Channel, ...]:
        if form.channels is not None:
            for key in ("url", "checks"):
                if self._reading.wrote(form, key):
                    text = f"`{key}` stands for one web channel; with `channels`, write it in a channel"
                    self._reading.say(text, form, key)
            return self._listed_channels(form, subject, file)
        if not form.url and not form.checks:
            if not self._reading.wrote(form, "url"):
                self._reading.say(f"service `{form.slug}` needs `url` or `channels`", form, "slug")
            return ()
        path = f"{subject}/web"
        return (
            Channel(
                subject=path,
                slug="web",
                kind=ChannelKind.WEB,
                url=form.url or "",
                checks=self._checks(form, path, (form, file)),
                depends=self._depends([form]),
            ),
        )

    def _listed_channels(self, form: ServiceForm, subject: str, file: File) -> tuple[Channel, ...]:
        channels: dict[str, Channel] = {}
        for each in form.channels or ():
            slug = each.slug or each.kind.value.replace("_", "-")
            if slug in channels:
                text = f"two channels of `{form.slug}` are called `{slug}`: give each its own `slug`"
                self._reading.say(text, each, "slug" if each.slug else "kind")
            remote = each.kind not in IN_PERSON if each.remote is None else each.remote
            path = f"{subject}/{slug}"
            channels[slug] = Channel(
                subject=path,
                slug=slug,
                kind=each.kind,
                remote=remote,
                completes=each.completes,
                url=each.url or "",
                checks=self._checks(each, path, (each, form, file)),
                depends=self._depends([form, each] if remote else [each]),
            )
            if remote and not channels[slug].checks and not each.depends and not form.depends:
                text = f"nothing measures channel `{slug}` of `{form.slug}`: it will always be unknown"
                self._reading.say(text, each, "kind", level="warning")
        return tuple(channels.values())

    def _checks(
        self,
        owner: ServiceForm | ChannelForm | SystemForm,
        subject: str,
        profiled: Sequence[ServiceForm | ChannelForm | SystemForm | File],
    ) -> tuple[Check, ...]:
        inherited = self._profile_of(profiled)
        forms: Sequence[CheckForm | str] = owner.checks or ()
        if owner.checks is None and owner.url and owner.url.startswith(("http:", "https:")):
            forms = [owner.url]
        checks: dict[str, Check] = {}
        for form in forms:
            ask = self._ask(form, owner)
            if ask is None:
                continue
            name = (form.name if isinstance(form, CheckForm) else None) or (
                "main" if not checks else str(ask.__struct_config__.tag)
            )
            if name in checks:
                where = (form, "name") if isinstance(form, CheckForm) else (owner, "checks", form)
                self._reading.say(f"two checks here are called `{name}`: give one another `name`", *where)
            made = self._check(form, ask, name=f"{subject}/{name}", owner=owner, inherited=inherited)
            self.made.append(made)
            checks[name] = made.check
        return tuple(checks.values())

    def _profile_of(self, owners: Sequence[ServiceForm | ChannelForm | SystemForm | File]) -> Tuning | None:
        """The profile that the nearest of them names, or the default one."""
        named = [self._profile(owner) for owner in owners if owner.profile is not None]
        return named[0] if named else self._profiles.get(DEFAULT_PROFILE)

    def _profile(self, owner: ServiceForm | ChannelForm | SystemForm | CheckForm | File) -> Tuning | None:
        assert owner.profile is not None
        profile = self._profiles.get(owner.profile)
        if profile is None and owner.profile not in self._written.names["profiles"]:
            near = suggestion(owner.profile, sorted(self._profiles), or_list=True)
            self._reading.say(f"no profile is called `{owner.profile[:40]}`{near}", owner, "profile")
        return profile

    def _ask(self, form: CheckForm | str, owner: ServiceForm | ChannelForm | SystemForm) -> Ask | None:
        """The one question of a check, or None with a problem noted."""
        if isinstance(form, str):
            where = ("checks", form) if owner.checks is not None else ("url",)
            return self._address(form, owner, *where)
        kinds = [kind for kind in KIND_KEYS if self._reading.wrote(form, kind)]
        if len(kinds) != 1:
            if self._reading.wrote(form, "kind"):
                return None  # said already: the kind is a key
            given = f"has {' and '.join(kinds)}" if kinds else "has none"
            self._reading.say(
                f"a check has exactly one kind of {', '.join(KIND_KEYS)}; this one {given}", form
            )
            return None
        asked: Ask | str | None = getattr(form, kinds[0])
        if not isinstance(asked, str):
            return asked
        scheme = "" if kinds[0] == "http" or "://" in asked else f"{kinds[0]}://"
        ask = self._address(scheme + asked, form, kinds[0])
        if ask is not None and ask.__struct_config__.tag != kinds[0]:
            self._reading.say(f"this address is not of the kind `{kinds[0]}`", form, kinds[0])
        return ask

    def _address(self, text: str, place: object, *path: str) -> Ask | None:
        try:
            if any(character.isspace() for character in text):
                raise ValueError("an address holds no spaces")
            return from_url(text)
        except ValueError as error:
            self._reading.say(str(error), place, *path)
            return None

    def _check(
        self,
        form: CheckForm | str,
        ask: Ask,
        *,
        name: str,
        owner: ServiceForm | ChannelForm | SystemForm,
        inherited: Tuning | None,
    ) -> Made:
        own = form if isinstance(form, CheckForm) else None
        profile = self._profile(own) if own is not None and own.profile is not None else inherited
        tuned = {key: value for key in TUNED if (value := getattr(profile, key, None)) is not None}
        tuned |= {key: value for key in TUNED if (value := getattr(own, key, None)) is not None}
        tuned.setdefault("vantages", self._vantages)
        if "within_s" not in tuned:
            tuned["within_s"] = min(WITHIN_S, round(tuned.get("every_s", EVERY_S) * WITHIN_SHARE, 3))
        subject, _, last = name.rpartition("/")
        return Made(Check(subject=subject, name=last, ask=ask, **tuned), form, owner, profile)


def _policy(form: PolicyForm) -> Policy:
    told = {key: value for key, value in msgspec.to_builtins(form).items() if value is not None}
    return msgspec.convert(told, Policy)


def _key(form: SystemForm | ServiceForm) -> str:
    return form.was[0] if form.was else form.slug


def _titled(slug: str) -> str:
    words = slug.replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def _text(name: Text | str | None) -> Text:
    """One text is of the language it is written in."""
    if isinstance(name, Text):
        return name
    if name and any("\u0600" <= character <= "\u06ff" for character in name):
        return Text(ar=name)
    return Text(en=name or "")
