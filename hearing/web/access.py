"""Who may look, and who may change something.

Who sits at the robot itself may look; everybody else, and whoever wants to change something, shows the token. A browser
shows it once in the address and then as a cookie. Pages of others cannot use that browser to get at the robot: neither
under a name of their own that they make point to it (DNS rebinding), nor by sending forms to it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request

from hearing.errors import InputError

SHORTEST_TOKEN = 12


@dataclass(frozen=True, slots=True)
class Access:
    """The rules.

    Attributes
    ----------
    token
        What must be shown.
    cookie
        Name of the cookie that holds it.

    Raises
    ------
    InputError
        If the token can be guessed, or cannot be part of an address.
    """

    token: str
    cookie: str

    def __post_init__(self) -> None:
        plain = self.token.isascii() and self.token.replace("-", "").replace("_", "").isalnum()
        if len(self.token) < SHORTEST_TOKEN or not plain:
            raise InputError(
                f"token of {len(self.token)} characters: give at least {SHORTEST_TOKEN} letters, digits, - or _"
            )

    def in_address(self, request: Request) -> bool:
        """Whether the right token is in the address."""
        return self._right(request.query_params.get("token"))

    def may_read(self, request: Request) -> bool:
        """Whether a request may see what is heard."""
        return self._shows_token(request) or _from_here(request)

    def may_control(self, request: Request) -> bool:
        """Whether a request may change something."""
        origin = request.headers.get("origin")
        own = origin is None or urlsplit(origin).netloc == request.headers.get("host")
        return own and self._shows_token(request)

    def _shows_token(self, request: Request) -> bool:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        offered = (request.cookies.get(self.cookie), bearer if scheme.lower() == "bearer" else None)
        return self.in_address(request) or any(map(self._right, offered))

    def _right(self, offered: str | None) -> bool:
        return offered is not None and hmac.compare_digest(offered.encode(), self.token.encode())


def is_loopback(host: str) -> bool:
    """Whether a host, by name or address, is this machine and cannot be reached from others."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _from_here(request: Request) -> bool:
    name = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    return request.client is not None and is_loopback(request.client.host) and is_loopback(name)
