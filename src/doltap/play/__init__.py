"""The playground: a page on which a small network trains before one's eyes. A door."""

from doltap.play.server import serve

__all__ = ["serve"]
