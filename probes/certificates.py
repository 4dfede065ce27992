"""TLS contexts made once per setting, the reasons a certificate is refused, and the days it has left."""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from cryptography import x509

from probes.contract import Answer, Failed, ProberFault, Reason, TargetFailed, Trace
from probes.trust import Trust

DAY_MS = 86_400_000
CONTEXTS_MAX = 256
CERTIFICATES_MAX = 4096

# OpenSSL's X509_V_ERR_ numbers, which `SSLCertVerificationError.verify_code` carries
NOT_YET_VALID, EXPIRED, SELF_SIGNED, SELF_SIGNED_IN_CHAIN = 9, 10, 18, 19
WRONG_HOST = frozenset({62, 64})  # hostname, IP address
UNTRUSTED = frozenset({2, 20, 21, 22, 24, 26, 27, 28})


def context(trust: Trust) -> ssl.SSLContext:
    """The context for these settings, made once and again when a file it names changed.

    Raises ProberFault when a file cannot be read here or holds no certificate or key.
    """
    files = (trust.ca, trust.client_certificate, trust.client_key)
    return _context(trust, tuple(_changed_ns(name) for name in files if name))


def prepare() -> None:
    """Load the system's trusted roots now (some 20 ms), so that no probe waits for it."""
    _context(Trust(), ())


def _changed_ns(name: str) -> int:
    try:
        return Path(name).stat().st_mtime_ns
    except OSError as error:
        raise ProberFault(f"the file {name} cannot be read: {error.strerror}") from error


@lru_cache(maxsize=CONTEXTS_MAX)
def _context(trust: Trust, changed_ns: tuple[int, ...]) -> ssl.SSLContext:
    try:
        made = ssl.create_default_context(cafile=trust.ca)
        if trust.client_certificate:
            made.load_cert_chain(trust.client_certificate, trust.client_key)
    except (OSError, ssl.SSLError) as error:
        names = ", ".join(name for name in (trust.ca, trust.client_certificate, trust.client_key) if name)
        raise ProberFault(f"no certificate or key can be loaded from {names}") from error
    if not trust.verify:
        _believe_anyone(made)
    made.options |= ssl.OP_NO_TICKET  # a resumed session would hide the cost and the certificate
    if trust.protocols:
        made.set_alpn_protocols(list(trust.protocols))
    return made


@lru_cache(maxsize=1)
def blind_context() -> ssl.SSLContext:
    """A context that believes anyone: to look at a certificate that was refused, never to send anything."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _believe_anyone(made)
    return made


def _believe_anyone(made: ssl.SSLContext) -> None:
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE


def refused(error: ssl.SSLCertVerificationError, server_name: str) -> TargetFailed:
    """Why the certificate was refused, as a reason and a sentence."""
    code = error.verify_code
    if code == EXPIRED:
        return TargetFailed(Reason.TLS_EXPIRED, f"the certificate of {server_name} has expired")
    if code == SELF_SIGNED:
        return TargetFailed(Reason.TLS_SELF_SIGNED, f"the certificate of {server_name} is self-signed")
    if code in WRONG_HOST:
        return TargetFailed(Reason.TLS_WRONG_HOST, f"the certificate is not for {server_name}")
    if code in UNTRUSTED or code == SELF_SIGNED_IN_CHAIN:
        return TargetFailed(
            Reason.TLS_UNTRUSTED, f"the certificate of {server_name} is not issued by an authority we trust"
        )
    if code == NOT_YET_VALID:
        return TargetFailed(Reason.TLS, f"the certificate of {server_name} is not valid yet")
    return TargetFailed(Reason.TLS, f"the certificate of {server_name} was refused: {error.verify_message}")


def expires_ms(secured: ssl.SSLObject | ssl.SSLSocket | None) -> int | None:
    """When the peer's own certificate ends, Unix milliseconds; None without one."""
    der = secured.getpeercert(binary_form=True) if secured else None
    return _expires_ms(der) if der else None


@lru_cache(maxsize=CERTIFICATES_MAX)
def _expires_ms(der: bytes) -> int | None:
    try:
        return int(x509.load_der_x509_certificate(der).not_valid_after_utc.timestamp() * 1000)
    except ValueError:
        return None  # a certificate that OpenSSL reads and the stricter parser does not


def days_left(trace: Trace, *, soft: int | None, hard: int | None) -> Sequence[Failed]:
    """What the limits in days say about the certificate just seen: nothing, or one failed assertion."""
    ends_ms = trace.facts.get("certificate_expires_ms")
    if ends_ms is None or (soft is None and hard is None):
        return ()
    days = (ends_ms - time.time() * 1000) / DAY_MS
    ends = f"{datetime.fromtimestamp(ends_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
    for limit, is_hard in ((hard, True), (soft, False)):
        if limit is not None and days < limit:
            return (
                Failed(
                    what="certificate days left",
                    expected=f"at least {limit}",
                    found=f"{days:.1f}, until {ends}",
                    hard=is_hard,
                ),
            )
    return ()


def verdict(trace: Trace, *, days: Sequence[Failed], failed: Sequence[Failed] = ()) -> Answer:
    """Up, degraded or down by what did not hold; what is hard comes before what is soft."""
    every = (*failed, *days)
    worst = next((one for one in every if one.hard), every[0] if every else None)
    if worst is None:
        return trace.up()
    reason = Reason.CERTIFICATE_EXPIRING if worst in days else Reason.ASSERTION
    sentence = f"{worst.what}: expected {worst.expected}, found {worst.found}"
    answer = trace.down if worst.hard else trace.degraded
    return answer(reason, sentence, every)
