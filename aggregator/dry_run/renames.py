"""Categories that were renamed without `was:`, so that their subscribers would get nothing new (A45). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from aggregator.model.settings import CategoryKey, Roster, SourceKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A category that all its sources leave for one new category."""

    was: CategoryKey  # the category that they leave
    key: CategoryKey  # the new one
    sources: tuple[SourceKey, ...]  # keys of those that move, in the order of feeds.yaml
    still_declared: bool  # under categories:, where no source names it any more

    def in_words(self, feed: str) -> str:
        """Return what happens to the subscribers, and what to write.

        Args:
            feed: path of the category's feeds without ending, such as `category/python`.
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
    """Find categories that look renamed, while no `was:` says so.

    Args:
        before: sources and categories in force.
        after: sources and categories that would be.
        heirs: earlier keys of sources that have another key in `after`.
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
            known = found.get(new[0])  # two that become one: the larger has more to lose
            if known is None or len(one.sources) > len(known.sources):
                found[new[0]] = one
    return tuple(found.values())


def _is_new(key: CategoryKey, before: Roster, after: Roster) -> bool:
    return key not in before.categories and not any(was in before.categories for was in after.categories[key].was)


def _members(roster: Roster) -> dict[CategoryKey, list[SourceKey]]:
    """Return the sources that may publish in each category, in their order; what items name is left out."""
    members: dict[CategoryKey, list[SourceKey]] = {}
    for source in roster.sources.values():
        for key in source.places:
            members.setdefault(key, []).append(source.key)
    return members
