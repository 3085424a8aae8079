"""Decides which addresses a fetch may connect to, before each connection and request (S3, S6).

Public addresses are open to all. A private one is open if two things hold: an entry under `hosts:` with `allow_private`
covers it (the host's name, or the address), and the configured URL of the source itself lies in such an entry (by name,
by the address in it, or by the address it leads to). So a source on the internet can't be redirected inwards.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from aggregator.fetch.address import Address, Reach, plain, reach_of
from aggregator.model.hosts import rule_for
from aggregator.model.settings import HostRule
from aggregator.urls import Url, host_of

PRIVATE = (
    "its address is private or reserved; if it is your own machine, allow it under hosts: {HOST: {allow_private: true}}"
    ", with its name or address for HOST"
)
STRANGER = (
    "its address is private, and only a source whose own URL lies under an entry of hosts: with allow_private may be "
    "sent there"
)
METADATA = "a cloud's metadata address is never fetched, whatever hosts: allows"
LOCAL_NAME = (
    "its name belongs to a local network and this machine can't resolve it; if it is your own, allow the name under "
    "hosts: with allow_private"
)
# Names that are never public (RFC 6761, 6762, 8375; ICANN's .internal). A name without a dot is local, too.
LOCAL_SUFFIXES = (".localhost", ".local", ".internal", ".intranet", ".lan", ".corp", ".home", ".home.arpa", ".private")
METADATA_NAMES = frozenset(
    {"metadata", "metadata.goog", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"}
)


class Guard:
    """The entries of `hosts:` with `allow_private`; shared by all fetches.

    Args:
        rules: of `Settings.hosts`.
        lookup: returns the addresses of a name; none if it has none.
    """

    def __init__(self, rules: Sequence[HostRule], lookup: Callable[[str], Iterable[Address]]) -> None:
        self.lookup = lookup
        self._opens_any = any(rule.allow_private for rule in rules)
        self._rule = lru_cache(maxsize=4096)(lambda host: rule_for(host, rules))

    def permit(self, configured: Url) -> "Permit":
        """Return what the source with this configured URL may reach."""
        return Permit(self, host_of(configured))

    def opens(self, host: str | Address) -> bool:
        """Return whether a host, as it is written in a URL, or an address lies in an entry."""
        rule = self._rule(host if isinstance(host, str) else str(plain(host)))
        return rule is not None and rule.allow_private

    def covers(self, host: str, address: Address) -> bool:
        """Return whether an entry opens a private address that a host leads to: one for the name, or for the address.

        That 127.0.0.0/8 stands for `localhost` as well opens no other address to it.
        """
        if not self._opens_any:
            return False
        rule = self._rule(host)
        by_name = rule is not None and rule.allow_private and rule.network is None
        return by_name or self.opens(address)


class Permit:
    """Addresses that one fetch may reach. It belongs to one source: sources differ in what they may reach."""

    def __init__(self, guard: Guard, configured_host: str) -> None:
        self._guard = guard
        self._configured_host = configured_host
        self._first: tuple[str, Address] | None = None  # where the first hop went

    def refusal(self, host: str, address: Address, *, first: bool) -> str | None:
        """Return why an address may not be connected to.

        Args:
            host: the name or address in the URL.
            address: where the name leads, and what would be connected to.
            first: this is the first hop of the poll, no redirect.

        Returns:
            The rule, for the operator; None if the address is allowed.
        """
        if first:
            self._first = (host, address)  # of several, the last one asked for is the one that was taken
        reach = reach_of(address)
        if reach is Reach.PUBLIC:
            return None
        if reach is Reach.METADATA:
            return METADATA
        if not self._guard.covers(host, address):
            return PRIVATE
        return None if self._is_inside() else STRANGER

    def refusal_of_name(self, host: str) -> str | None:
        """Return why a proxy may not be told to connect to a name that this machine can't resolve (S9).

        Only the form of the name is known here. Which addresses public names lead to is for the proxy to filter.

        Args:
            host: the name in the URL, without a dot at its end.

        Returns:
            The rule, for the operator; None if the name is allowed.
        """
        host = host.lower()
        if host in METADATA_NAMES:
            return METADATA
        if "." in host and not host.endswith(LOCAL_SUFFIXES):
            return None
        if not self._guard.opens(host):
            return LOCAL_NAME
        return None if self._is_inside() else STRANGER

    def _is_inside(self) -> bool:
        """Return whether the configured URL lies in an entry."""
        if self._guard.opens(self._configured_host):
            return True
        if self._first is not None and self._first[0] == self._configured_host:
            return self._guard.opens(self._first[1])
        return any(map(self._guard.opens, self._guard.lookup(self._configured_host)))  # an adopted URL, elsewhere (P40)
