"""How pages look and behave, whatever stands on them: the theme, and what feeds.yaml says of pages."""

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from aggregator.publish.theme import Theme


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What every page of a site shares besides its texts."""

    theme: Theme
    refresh: timedelta | None = None  # so often pages that change reload themselves; None: never
    search: bool = False  # whether /search answers: under `serve`, never on a static host

    @property
    def facts(self) -> tuple[object, ...]:
        """Give what shapes bytes, so that a change of it renders pages anew."""
        return self.theme.digest, self.refresh and self.refresh.total_seconds(), self.search


@lru_cache(maxsize=1)
def plain_look() -> Look:
    """Give the look that comes with the program."""
    return Look(theme=Theme.built_in())
