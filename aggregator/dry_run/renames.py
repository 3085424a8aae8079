"""Finds categories that were renamed without `was:`, whose subscribers would get nothing new (A45). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from aggregator.model.settings import CategoryKey, Roster, SourceKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A category whose sources all move to one new category."""

    was: CategoryKey  # the old category
    key: CategoryKey  # the new one
    sources: tuple[SourceKey, ...]  # keys of the sources, in the order of feeds.yaml
    still_declared: bool  # the old category is still under categories:, without sources

    def in_words(self, feed: str) -> str:
        """Return a sentence with the effect on subscribers, and the text to write.

        Args:
            feed: path of the category's feeds without suffix, such as `category/python`.
        """
        instead = f', in place of "{self.was}"' if self.still_declared else ""
        return (
            f'every source of category "{self.was}" moves to the new category "{self.key}", and readers of {feed}.* '
            f'would get nothing new; if it is the same category, write "{self.key}": {{was: "{self.was}"}} under '
            f"categories:{instead}"
        )


def departures(
    before: Roster, after: Roster, heirs: Mapping[SourceKey, SourceKey] | None = None
) -> tuple[Departure, ...]:
    """Return categories that were probably renamed without `was:`.

    Args:
        before: sources and categories in force.
        after: sources and categories of the new feeds.yaml.
        heirs: new key -> earlier key, of sources whose key changed.
    """
    now = {was: key for key, was in (heirs or {}).items()}
    members_before, members_after = _members(before), _members(after)
    found: dict[CategoryKey, Departure] = {}
    for was in before.categories:
        left = [now.get(key, key) for key in members_before.get(was, ())]
        stay = [key for key in left if key in after.sources]
        if not stay or members_after.get(was):
            continue
        new = [
            key for key in after.categories if _is_new(key, before, after) and {*stay} <= {*members_after.get(key, ())}
        ]
        if len(new) == 1:
            one = Departure(was=was, key=new[0], sources=tuple(stay), still_declared=was in after.categories)
            known = found.get(new[0])  # if two categories become one, report the one with more sources
            if known is None or len(one.sources) > len(known.sources):
                found[new[0]] = one
    return tuple(found.values())


def _is_new(key: CategoryKey, before: Roster, after: Roster) -> bool:
    return key not in before.categories and not any(was in before.categories for was in after.categories[key].was)


def _members(roster: Roster) -> dict[CategoryKey, list[SourceKey]]:
    """Return the sources of each category in order, without categories that items name."""
    members: dict[CategoryKey, list[SourceKey]] = {}
    for source in roster.sources.values():
        for key in source.places:
            members.setdefault(key, []).append(source.key)
    return members
