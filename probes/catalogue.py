"""Every kind of check by its tag, and its settings. Who asks nothing loads none of what asking needs."""

from __future__ import annotations

from types import ModuleType

from yarl import URL

from probes import dns_settings as dns
from probes import http_settings as http
from probes import icmp_settings as icmp
from probes import tcp_settings as tcp
from probes import tls_settings as tls

KINDS: dict[str, ModuleType] = {"http": http, "tls": tls, "tcp": tcp, "dns": dns, "icmp": icmp}

Ask = http.Settings | tls.Settings | tcp.Settings | dns.Settings | icmp.Settings
"""The settings of any kind; on the wire and in files `kind` says which."""


def kind(settings: Ask) -> str:
    """The tag: http, tls, tcp, dns or icmp."""
    return str(settings.__struct_config__.tag)


def target(settings: Ask) -> str:
    """What is asked, fit to be shown: without credentials and without a query's contents."""
    return str(KINDS[kind(settings)].target(settings))


def from_url(text: str) -> Ask:
    """Settings for an address such as https://host/, tls://host, tcp://host:25, dns://name, icmp://host.

    Raises ValueError with what would be right.
    """
    url = URL(text)
    if url.scheme in ("http", "https") and url.host:
        return http.Settings(url=text)
    host = url.host
    if host and url.scheme == "tls":
        return tls.Settings(host=host, port=url.explicit_port or 443)
    if host and url.scheme == "tcp" and url.explicit_port:
        return tcp.Settings(host=host, port=url.explicit_port)
    if host and url.scheme == "dns":
        return dns.Settings(name=host)
    if host and url.scheme == "icmp":
        return icmp.Settings(host=host)
    raise ValueError(
        "not an address that can be asked: use http://, https://, tls://host[:port], tcp://host:port, "
        "dns://name or icmp://host"
    )
