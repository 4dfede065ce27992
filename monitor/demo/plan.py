"""What one run of the demo agreed on: which catalogue, which addresses moved, and the files that say so."""

from __future__ import annotations

import msgspec

PLAN, READY, CERTIFICATES = "fleet.json", "fleet.ready", "fleet"
TRAFFIC = "traffic.json"  # how far the sample's transactions were sent
SENT = "traffic.sent"  # there once all of their history was sent
COUNTED = "traffic.counted"  # and counted
WEEKS = 3  # that were over when the first run began, and have a past
AUTHORITY = "demo-ca.pem"  # what the sample catalogue writes where the authority's file belongs


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What the fleet plays: a catalogue's folder, the addresses moved in it, and whether by script."""

    config: str
    replace: dict[str, str]
    script: bool = True
