"""A feed reader that keeps what it has seen, as those do that know RFC 6721: what people notice of what we publish."""

from dataclasses import dataclass, field
from datetime import datetime

from lxml import etree

ATOM = "{http://www.w3.org/2005/Atom}"
DELETED = "{http://purl.org/atompub/tombstones/1.0}deleted-entry"


@dataclass(slots=True)
class Subscriber:
    """Knows entries by their ids; an entry is new, or changed if `updated` moved, or dropped by a tombstone."""

    titles: dict[str, str] = field(default_factory=dict)  # of what it shows, by id
    updated: dict[str, datetime] = field(default_factory=dict)
    dropped: dict[str, datetime] = field(default_factory=dict)  # id: when its tombstone says
    tombstone_wins_ties: bool = True  # readers disagree, and RFC 6721 can be read either way

    def reads(self, *documents: bytes) -> dict[str, list[str]]:
        """Read a feed, its archive pages after it; give the titles that are new, changed and gone."""
        news: dict[str, list[str]] = {"new": [], "changed": [], "gone": []}
        for document in documents:
            feed = etree.fromstring(document)
            for entry in feed.iterchildren(f"{ATOM}entry"):
                self._take(entry, news)
            for tombstone in feed.iterchildren(DELETED):
                ref, when = str(tombstone.get("ref")), datetime.fromisoformat(str(tombstone.get("when")))
                if ref in self.titles and self._is_over(self.updated[ref], when):
                    news["gone"].append(self.titles.pop(ref))
                self.dropped[ref] = when
        return {what: titles for what, titles in news.items() if titles}

    def _take(self, entry: etree._Element, news: dict[str, list[str]]) -> None:
        atom_id, title = str(entry.findtext(f"{ATOM}id")), str(entry.findtext(f"{ATOM}title"))
        updated = datetime.fromisoformat(str(entry.findtext(f"{ATOM}updated")))
        if atom_id in self.dropped and self._is_over(updated, self.dropped[atom_id]):
            return
        before = self.updated.get(atom_id)
        assert before is None or updated >= before, "invariant 3"
        if atom_id not in self.titles:
            news["new"].append(title)
        elif before is not None and updated > before:
            news["changed"].append(title)
        self.titles[atom_id], self.updated[atom_id] = title, updated

    def _is_over(self, updated: datetime, when: datetime) -> bool:
        """Return whether a tombstone ends an entry: the newer of the two wins."""
        return updated <= when if self.tombstone_wins_ties else updated < when
