"""One feed of a list of feeds that lives elsewhere (`kind: opml`)."""

from dataclasses import dataclass

from aggregator.urls import Url


@dataclass(frozen=True, slots=True, kw_only=True)
class RawOutline:
    """An outline with an address, as written."""

    href: str
    title: str | None = None
    category: str | None = None  # its own attribute: categories such as /a/b, or tags, with commas between them
    groups: tuple[str, ...] = ()  # texts of the outlines around it, the outermost first


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The same, cleaned."""

    url: Url  # normalised, without credentials
    title: str = ""  # plain text
    categories: tuple[str, ...] = ()  # that the outlines nearest around it name; one of each place where it stands
