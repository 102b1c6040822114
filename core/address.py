"""Where health is served: a host and a port, on loopback unless somebody asks for more."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

#: The word that switches serving off.
OFF = "off"


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port to listen at.

    :param host: an IP address or a name; empty means every address of the machine.
    :param port: 0 lets the system choose.
    """

    host: str
    port: int

    def __str__(self) -> str:
        host = self.host or "*"
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def expects(self, host_header: str | None) -> bool:
        """Say whether a request that names this host is meant for us.

        A page in a browser can point a name of its own at 127.0.0.1 and read what answers there, so on
        loopback only addresses and localhost are answered. An address that is open to others has names that
        only its operator knows.
        """
        if not self.loopback:
            return True
        if not host_header:
            return False
        try:
            name = urlsplit(f"//{host_header}").hostname or ""
            return name == "localhost" or ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False


def parse_address(text: str) -> Address | None:
    """Return what HEALTH_ADDRESS says: `host:port`, a port alone (on loopback), or None for `off`.

    :raises ValueError: it is none of these.
    """
    text = text.strip()
    if text.lower() in {OFF, "none", "no", "false", "0"}:
        return None
    if text.isdecimal():
        text = f"127.0.0.1:{text}"
    parts = urlsplit(f"//{text}")
    if parts.port is None or parts.path or parts.username is not None or parts.query:
        raise ValueError(f"{text!r} is not host:port")
    host = parts.hostname or ""
    return Address("" if host == "*" else host, parts.port)
