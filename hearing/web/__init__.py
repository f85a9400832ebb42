"""A web page served by the robot: what it hears and sees, live, without any other network."""

from hearing.web.server import WebView

__all__ = ["WebView"]
