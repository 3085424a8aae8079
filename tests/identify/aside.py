"""Labelled pairs that were kept aside: other articles and other forms than those of `pairs.py`, in nineteen languages.

`aside.toml` has an article in each language, and forms that are filled in twice: obituaries, job offers, results,
weather, draws, flats, press releases with one boilerplate, sequels, quotes of one speech, notices of correction.
"""

import random
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.identify.pairs import DIGITS, LABELS, MARKS

_DATES = {
    "minutes": ("2026-03-04T10:15:27+00:00", "2026-03-04T11:02:09+00:00"),
    "day": ("2026-03-04T06:00:00+00:00", "2026-03-05T06:01:30+00:00"),
    "second": ("2026-03-04T10:15:27+00:00", "2026-03-04T10:15:27+00:00"),
}
_OTHER_SCRIPT = {"zh-Hans": "s2t", "zh-Hant": "t2s"}

_Side = tuple[str, str]  # title and HTML


def aside_pairs() -> Iterator[dict[str, Any]]:
    """Make all pairs, in the form of a file of pairs (`benchmarks.nearness`)."""
    said = tomllib.loads((Path(__file__).parent / "aside.toml").read_text(encoding="utf-8"))
    for code, told in said.items():
        for label, pairs in (("same", _same(told, code)), ("different", _different(told))):
            for kind, one, other, dates in pairs:
                sides = (
                    {"title": title, "html": html, "link": f"https://{site}.example/a", "published": published}
                    for (title, html), site, published in zip((one, other), ("one", "two"), _DATES[dates], strict=True)
                )
                yield {"label": label, "kind": kind, "lang": code, **dict(zip("ab", sides, strict=True))}


def _same(told: dict[str, Any], code: str) -> Iterator[tuple[str, _Side, _Side, str]]:
    for kind, one, other in (*_cut_and_framed(told, code), *_changed(told, code), *_written_otherwise(told, code)):
        yield kind, one, other, "minutes"
    before, after = told["short"]
    short = _html(told["shorttext"])
    yield "short text of one second, edited title", (before, short), (after, short), "second"


def _cut_and_framed(told: dict[str, Any], code: str) -> Iterator[tuple[str, _Side, _Side]]:
    title, edited, retitled, said = told["title"], told["edited"], told["retitled"], told["paragraphs"]
    head, tail, intro = told["head"], told["tail"], told["intro"]
    whole = (title, _html(*said))
    cut = said[0][: int(len(said[0]) * 0.8)].rstrip()
    yield "excerpt", whole, (title, _html(f"{cut} […]"))
    yield "excerpt, edited title", whole, (edited, _html(f"{said[0]} …"))
    yield "edited title, site's name", whole, (f"{edited} - {told['site']}", whole[1])
    yield "other title", whole, (retitled, whole[1])
    yield "other title, two paragraphs", (title, _html(*said[:2])), (retitled, _html(*said[:2]))
    yield "other title, head and tail", whole, (retitled, _html(head + said[0], *said[1:], tail))
    yield "local introduction, other title", whole, (retitled, _html(intro, *said))
    yield "local introduction, edited title", whole, (edited, _html(intro, *said))
    yield "live blog, newest first, edited title", whole, (edited, _html(f"11:40 {told['more']}", *said))
    yield "paragraph more in the middle", whole, (title, _html(*said[:2], told["more"], *said[2:]))
    yield "last paragraph less, edited title", whole, (edited, _html(*said[:-1]))
    if code in LABELS:
        label, note = LABELS[code]
        end = "。" if code in ("ja", "zh-Hans", "zh-Hant") else "."
        brief = said[0].split(end if end == "。" else ". ")[0] + end
        other = f"【{label}】{title}" if end == "。" or code == "ko" else f"[{label}] {title} | {told['site']}"
        yield "short, label and note", (title, _html(brief)), (other, _html(f"{label}: {brief} {note}"))


def _changed(told: dict[str, Any], code: str) -> Iterator[tuple[str, _Side, _Side]]:
    title, edited, said = told["title"], told["edited"], told["paragraphs"]
    whole, chance = (title, _html(*said)), random.Random(code)
    numbered = [place for place, text in enumerate(said) if re.search(r"\d", text)]
    middle, last = numbered[len(numbered) // 2], numbered[-1]
    yield "one number corrected", whole, (title, _html(*_corrected(said, middle, 0)))
    yield "one number corrected, edited title", whole, (edited, _html(*_corrected(said, last, 1)))
    lead = _html(*_corrected(said, 0, 0))
    yield "number of the lead corrected, site's name", whole, (f"{title} | {told['site']}", lead)
    moved = chance.sample(said, len(said))
    moved = moved if moved != said else said[::-1]
    yield "shuffled, edited title", whole, (edited, _html(*moved))
    yield "shuffled", whole, (title, _html(*moved))
    typed = _html(_mistyped(said[0], chance), *said[1:3], _mistyped(said[3], chance))
    yield "typing errors", whole, (_mistyped(title, chance), typed)
    typed = _html(said[0], _mistyped(said[1], chance), *said[2:], told["tail"])
    yield "typing errors, edited title, tail", whole, (edited, typed)


def _written_otherwise(told: dict[str, Any], code: str) -> Iterator[tuple[str, _Side, _Side]]:
    title, said = told["title"], told["paragraphs"]
    whole = (title, _html(*said))
    noisy = (text.replace(" ", "&nbsp;", 2).replace("a", "a&shy;", 1) for text in said)
    yield "markup noise", whole, (title, "".join(f"<div><p>{text}</p><img src='i.png' alt=''></div>" for text in noisy))
    marked = (text.translate(MARKS).translate(DIGITS.get(code, {})) for text in said)
    yield "marks and digits", whole, (title.translate(MARKS), _html(*marked))
    yield "capitals", whole, ((title.replace("i", "İ") if code == "tr" else title).upper(), whole[1])
    if code in _OTHER_SCRIPT:
        convert = import_module("opencc").OpenCC(_OTHER_SCRIPT[code]).convert
        yield "other script", whole, (convert(title), _html(*map(convert, said)))


def _different(told: dict[str, Any]) -> Iterator[tuple[str, _Side, _Side, str]]:
    for form in told["forms"]:
        one, other = (
            (form["title"].format(*form[which]), _html(form["text"].format(*form[which]))) for which in ("one", "two")
        )
        yield form["kind"], one, other, form["dates"]
    last, said = told["forms"][-1], told["paragraphs"]
    framed = _html(told["intro"], told["head"] + said[0], said[1], told["tail"])
    news = _html(told["intro"], told["head"] + last["text"].format(*last["two"])[:200], told["tail"])
    title = last["title"].format(*last["two"])
    yield "other story, one frame and introduction", (told["title"], framed), (title, news), "minutes"


def _html(*paragraphs: str) -> str:
    return "".join(f"<p>{text}</p>" for text in paragraphs)


def _mistyped(text: str, chance: random.Random) -> str:
    """Exchange two letters of a long word, or leave out a character."""
    words = text.split(" ")
    long = [place for place, word in enumerate(words) if len(word) > 5 and word.isalpha()]
    if not long:
        place = chance.randrange(3, len(text) - 3)
        return text[:place] + text[place + 1 :]
    place = chance.choice(long)
    word, middle = words[place], len(words[place]) // 2
    words[place] = word[:middle] + word[middle + 1] + word[middle] + word[middle + 2 :]
    return " ".join(words)


def _corrected(said: list[str], paragraph: int, which: int) -> list[str]:
    """Change the last digit of one number of a paragraph."""
    text = said[paragraph]
    numbers = list(re.finditer(r"\d+", text))
    number = numbers[which % len(numbers)]
    digit = str((int(number[0][-1]) + 3) % 10) if len(number[0]) > 1 else str(int(number[0]) % 9 + 1)
    return [*said[:paragraph], text[: number.end() - 1] + digit + text[number.end() :], *said[paragraph + 1 :]]
