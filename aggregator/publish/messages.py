"""The text of the pages in the site's language (A67): a file in `catalogue/`, English where there is none."""

import tomllib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

FALLBACK = "en"


@dataclass(frozen=True, slots=True)
class Messages:
    """One language's catalogue."""

    language: str
    months: tuple[str, ...]
    date: str
    date_and_time: str
    texts: dict[str, dict[str, str]]

    def text(self, key: str, **values: object) -> str:
        """Give a text of the pages, with its names filled in."""
        return self.texts["page"][key].format(**values)

    def state(self, name: str) -> str:
        """Give the word for what a source is."""
        return self.texts["state"][name]

    def trouble(self, state: str, code: str | None) -> str:
        """Say in words what is wrong with a source; empty if nothing is."""
        if state == "failing":
            codes = self.texts["code"]
            return codes.get(code or "unknown", codes["unknown"])
        return self.texts["state_note"][state]

    def day(self, when: datetime, zone: ZoneInfo) -> str:
        """Give a date in a zone, as people write it."""
        return self._dated(self.date, when.astimezone(zone))

    def moment(self, when: datetime, zone: ZoneInfo) -> str:
        """Give date and time in a zone, as people write them."""
        return self._dated(self.date_and_time, when.astimezone(zone))

    def _dated(self, form: str, local: datetime) -> str:
        month = self.months[local.month - 1]
        return form.format(year=local.year, month=month, day=local.day, time=f"{local.hour:02}:{local.minute:02}")


@lru_cache(maxsize=16)
def load_messages(language: str) -> Messages:
    """Load the catalogue for a BCP 47 tag: the one of its first subtag, else English."""
    folder = files("aggregator.publish") / "catalogue"
    name = language.partition("-")[0].lower()
    file = folder / f"{name}.toml"
    if not name.isalpha() or not file.is_file():
        name, file = FALLBACK, folder / f"{FALLBACK}.toml"
    read = tomllib.loads(file.read_text(encoding="utf-8"))
    months, date, date_and_time = tuple(read.pop("months")), read.pop("date"), read.pop("date_and_time")
    return Messages(language=name, months=months, date=date, date_and_time=date_and_time, texts=read)
