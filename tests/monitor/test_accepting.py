"""Which transactions the catalogue has a place for, also after a service was renamed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.errors import BadMessage
from monitor.judge.accepting import Offers
from monitor.judge.counting import span
from monitor.model import Catalogue, Channel, ChannelKind, Service, TransactionOutcome
from monitor.stream.wire import Transaction

NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)
WITHIN = span(int(NOW.timestamp() * 1000), ahead_s=300)


def service(slug: str, *, entity: str, channel: str = "web", was: tuple[str, ...] = ()) -> Service:
    found = Channel(subject=f"service:{slug}/{channel}", slug=channel, kind=ChannelKind.WEB)
    return Service(slug=slug, entity=entity, channels=(found,), was=was)


def event(slug: str, channel: str = "web") -> Transaction:
    return Transaction(service=slug, channel=channel, outcome=TransactionOutcome.COMPLETED, at=NOW)


def why_not(offers: Offers, said: Transaction, **more: tuple[str, ...]) -> str:
    """The reason, or "" where it can count."""
    try:
        offers.check(said, WITHIN, **more)
    except BadMessage as error:
        return error.reason
    return ""


def test_a_former_slug_is_taken_but_never_over_somebodys_current_one() -> None:
    offers = Offers(
        Catalogue(
            services=(
                service("permit", entity="trade"),
                service("licence", entity="interior", channel="app", was=("permit", "card")),
            )
        )
    )
    assert why_not(offers, event("card", "app")) == ""
    assert why_not(offers, event("permit"), entities=("trade",)) == ""
    assert why_not(offers, event("permit"), entities=("interior",)) == "not_allowed"


@pytest.mark.parametrize("services", [(), (service("tax", entity="finance"),)], ids=["no service", "another"])
def test_a_service_that_is_in_no_catalogue_is_unknown(services: tuple[Service, ...]) -> None:
    assert why_not(Offers(Catalogue(services=services)), event("passport")) == "unknown_service"


def test_a_long_text_of_a_sender_is_cut_where_it_is_repeated() -> None:
    with pytest.raises(BadMessage) as caught:
        Offers(Catalogue()).check(event("x" * 10_000), WITHIN)
    assert len(str(caught.value)) < 150
