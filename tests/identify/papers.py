"""A simulated year of papers that copy each other: what each tells on each day, and of which story.

Events are told by one to eight papers, each in its own way; a fifth have a sequel on the next day, with half of the
text. Every paper has its forms: the weather, prices, and a briefing whose rules never change.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

PAPERS, EVENTS = 40, 25  # events of a day
START = datetime(2026, 1, 1, 6, 0, 11, tzinfo=UTC)
_WORDS = [
    f"{a}{b}{c}{d}" for a in "bdfgklmnprst" for b in "aeiou" for c in "lmnrst" for d in ("a", "en", "er", "o", "is")
]
_COMMON = "the of and to in that was for it with on at by from they which had not but are".split()


@dataclass(frozen=True, slots=True)
class Told:
    """One entry."""

    story: str  # the same for all entries of one story
    way: str  # how it was told
    paper: int
    title: str
    paragraphs: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class _Event:
    name: str
    title: str
    paragraphs: tuple[str, ...]
    papers: tuple[int, ...]


class Year:
    """Entries in the order of their times; the same for the same seed."""

    def __init__(self, seed: int = 1) -> None:
        self._chance = random.Random(seed)
        self._rules = [tuple(self._paragraph() for _ in range(3)) for _ in range(PAPERS)]  # of each paper's briefing

    def days(self, count: int) -> Iterator[list[Told]]:
        """Yield the entries of each day."""
        before: list[_Event] = []
        for day in range(count):
            sequels = [self._sequel(event, day) for event in before if self._chance.random() < 0.2]
            events = [self._event(f"{day}.{number}") for number in range(EVENTS)]
            told = [each for event in (*events, *sequels) for each in self._tellings(event, day)]
            told += [each for paper in range(PAPERS) for each in self._forms(paper, day)]
            yield sorted(told, key=lambda each: (each.at, each.paper))
            before = events

    def _words(self, count: int) -> list[str]:
        ranks = [min(int(self._chance.paretovariate(0.7)), len(_WORDS)) - 1 for _ in range(count)]
        return [self._chance.choice(_COMMON) if self._chance.random() < 0.35 else _WORDS[rank] for rank in ranks]

    def _sentence(self) -> str:
        words = self._words(self._chance.randint(8, 18))
        if self._chance.random() < 0.3:
            words.insert(self._chance.randrange(len(words)), str(self._chance.randint(2, 2400)))
        return " ".join(words).capitalize() + "."

    def _paragraph(self) -> str:
        return " ".join(self._sentence() for _ in range(self._chance.randint(2, 3)))

    def _event(self, name: str) -> _Event:
        paragraphs = tuple(self._paragraph() for _ in range(self._chance.randint(4, 8)))
        tellers = min(int(self._chance.paretovariate(1.1)), 8)
        return _Event(name, self._title(paragraphs), paragraphs, tuple(self._chance.sample(range(PAPERS), tellers)))

    def _title(self, paragraphs: tuple[str, ...]) -> str:
        own = self._chance.sample([word for word in paragraphs[0].split() if word.isalpha() and len(word) > 3], 4)
        return " ".join([*own, *self._words(self._chance.randint(2, 4))]).capitalize()

    def _sequel(self, event: _Event, day: int) -> _Event:
        news = tuple(self._paragraph() for _ in range(3))
        half = event.paragraphs[: len(event.paragraphs) // 2]
        title = " ".join([*event.title.split()[:2], *self._title(news).split()[:5]])
        return _Event(f"{event.name} goes on", title, (*news, *half), event.papers)

    def _tellings(self, event: _Event, day: int) -> Iterator[Told]:
        begun = START + timedelta(days=day, minutes=self._chance.randint(0, 600))
        for number, paper in enumerate(event.papers):
            way, tell = ("plain", _plain) if not number else self._chance.choice(_WAYS)
            title, paragraphs = tell(self, event.title, event.paragraphs, paper)
            at = begun + timedelta(minutes=self._chance.randint(1, 300) * bool(number))
            yield Told(event.name, way, paper, title, paragraphs, at)

    def _forms(self, paper: int, day: int) -> Iterator[Told]:
        def number(least: int, most: int) -> int:
            return self._chance.randint(least, most)

        at = START + timedelta(days=day, minutes=self._chance.randint(-5, 5))
        town = _WORDS[paper * 11].capitalize()
        weather = (
            f"In {town} the day begins with clouds, and later the sun comes out for a while. Temperatures reach "
            f"{number(8, 30)} degrees, the wind blows from the west with {number(5, 40)} kilometres per hour. The "
            f"night stays dry, with a low of {number(0, 9)} degrees. The risk of rain is {number(1, 9)}0 per cent.",
        )
        yield Told(f"weather {paper} {day}", "form", paper, f"Weather for {town}", weather, at)
        wheat, maize, oil = (f"{number(40, 400)}.{number(0, 9)}" for _ in range(3))
        prices = (f"Wheat closed at {wheat}, maize at {maize} and oil at {oil}. {self._rules[paper % 4][0]}",)
        yield Told(f"prices {paper} {day}", "form", paper, "Prices of the day", prices, at)
        briefing = (self._paragraph(), *self._rules[paper])
        yield Told(f"briefing {paper} {day}", "form", paper, "Morning briefing", briefing, at)


_Tell = Callable[[Year, str, tuple[str, ...], int], tuple[str, tuple[str, ...]]]


def _plain(year: Year, title: str, paragraphs: tuple[str, ...], paper: int) -> tuple[str, tuple[str, ...]]:
    return title, paragraphs


def _with_site(year: Year, title: str, paragraphs: tuple[str, ...], paper: int) -> tuple[str, tuple[str, ...]]:
    return f"{title} | {_WORDS[paper * 7].capitalize()} Times", paragraphs


def _framed(year: Year, title: str, paragraphs: tuple[str, ...], paper: int) -> tuple[str, tuple[str, ...]]:
    dateline, writer = _WORDS[paper * 3].upper(), _WORDS[paper * 5].capitalize()
    return title, (f"{dateline} (Agency) - {paragraphs[0]}", *paragraphs[1:], f"(Reporting by {writer})")


def _excerpt(year: Year, title: str, paragraphs: tuple[str, ...], paper: int) -> tuple[str, tuple[str, ...]]:
    return title, (paragraphs[0] + " …",)


def _edited(year: Year, title: str, paragraphs: tuple[str, ...], paper: int) -> tuple[str, tuple[str, ...]]:
    words = title.split()
    return " ".join([words[0], _WORDS[paper * 13], *words[1:]]), paragraphs


def _introduced(year: Year, title: str, paragraphs: tuple[str, ...], paper: int) -> tuple[str, tuple[str, ...]]:
    return title, (
        f"{_WORDS[paper * 17].capitalize()} and its people are concerned as well, our paper was told.",
        *paragraphs,
    )


def _shorter(year: Year, title: str, paragraphs: tuple[str, ...], paper: int) -> tuple[str, tuple[str, ...]]:
    return title, paragraphs[:-1]


def _reordered(year: Year, title: str, paragraphs: tuple[str, ...], paper: int) -> tuple[str, tuple[str, ...]]:
    return title, (paragraphs[0], *reversed(paragraphs[1:]))


_WAYS: list[tuple[str, _Tell]] = [
    ("plain", _plain),
    ("site's name", _with_site),
    ("head and tail", _framed),
    ("excerpt", _excerpt),
    ("edited title", _edited),
    ("introduction", _introduced),
    ("last paragraph left out", _shorter),
    ("reordered", _reordered),
]
