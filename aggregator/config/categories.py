"""Makes the records of `categories:`, and of categories that only sources name; recognises misspelt names."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from aggregator.config.compounds import Pair
from aggregator.config.document import Node
from aggregator.config.findings import Findings, quoted
from aggregator.config.keys import CategoryKeys
from aggregator.config.shapes import nearest
from aggregator.config.tables import Values
from aggregator.model.settings import GENERAL, Category, CategoryKey, Source
from aggregator.text.slugs import HAN, pinyin

LEAST = 5  # characters of the shorter word: in words of four, one letter often makes another word (`book`, `boot`)
LEAST_SWAPPED = 4  # characters where two neighbours are swapped, which seldom makes another word

Words = tuple[str, ...]

_SEPARATORS = re.compile(r"[\s_-]+")


class DeclaredNames:
    """Index of the declared names, so that a look-up does not compare a name with all of them.

    A false alarm would refuse a valid configuration. A name therefore counts as misspelt only if it differs from a
    declared name by one typing error. Pairs that differ like two words are two names: `web3` and `web`, `newsroom` and
    `news`, `cooking` and `booking`, `german` and `germany`, `politics-uk` and `politics-us`, 河南 and 湖南.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        self._same: dict[str, str] = {}  # name without case and separators -> name
        self._shortened: dict[Words, list[str]] = {}  # words of a name, whole or with one character left out -> names
        for name in names:
            words = _words(name)
            self._same.setdefault("".join(words), name)
            for form in _forms(words):
                self._shortened.setdefault(form, []).append(name)

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def meant_by(self, name: str) -> str | None:
        """Return the declared name that `name` probably means; None if `name` is a new name."""
        words = _words(name)
        same = self._same.get("".join(words)) if words else None
        if same is not None:
            return same
        near = dict.fromkeys(known for form in _forms(words) for known in self._shortened.get(form, ()))
        return next((known for known in near if _is_slip(words, _words(known))), None)


def _words(name: str) -> Words:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return tuple(filter(None, _SEPARATORS.split(folded)))


def _forms(words: Words) -> Iterator[Words]:
    """Yield the words, then the words with one character left out. Names that differ by one edit share one of these."""
    yield words
    for place, word in enumerate(words):
        for index in range(len(word)):
            yield (*words[:place], word[:index] + word[index + 1 :], *words[place + 1 :])


def _is_slip(written: Words, known: Words) -> bool:
    """Report whether two names of the same number of words differ in one typing error of one word."""
    if len(written) != len(known):
        return False
    different = [pair for pair in zip(written, known, strict=True) if pair[0] != pair[1]]
    return len(different) == 1 and _is_slip_of_word(*different[0])


def _is_slip_of_word(written: str, known: str) -> bool:
    short, long = sorted((written, known), key=len)
    first = next((place for place, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return len(short) >= LEAST and short[first:] == long[first + 1 :] and _is_stray(long, first)
    one, other = short[first:], long[first:]
    if one[:2] == other[1::-1] and one[2:] == other[2:]:
        return len(short) >= LEAST_SWAPPED and one[:2].isalpha()
    if first == 0 or one[1:] != other[1:]:
        return False
    if HAN.match(one) and HAN.match(other):  # input methods offer characters by their reading: the wrong one was chosen
        return len(short) >= LEAST_SWAPPED and pinyin(one[0]) == pinyin(other[0])
    return len(short) >= LEAST and one[0].isalpha() and other[0].isalpha()


def _is_stray(long: str, place: int) -> bool:
    """Report whether the character at `place` of the longer word is probably a typing error.

    A first letter seldom is one. A different last letter mostly makes another word (`india`, `indian`), except for the
    s of a plural.
    """
    added = long[place]
    if not added.isalpha() or HAN.match(added):
        return False
    if added == long[place - 1] and place:
        return True
    return 0 < place < len(long) - 1 or (place == len(long) - 1 and added == "s")


MAX_COMPARED = 100_000  # pairs of names compared in the search for the most similar declared category


def categories_of(
    pairs: Sequence[Pair[str, Values]],
    sources: Iterable[Source],
    mentions: Mapping[CategoryKey, Sequence[Node]],
    entries: int,
    findings: Findings,
) -> tuple[Category, ...]:
    """Return the declared categories in the order of the file, then those that are named by sources alone.

    Args:
        pairs: the items of `categories:`.
        sources: every valid source; a source without a category publishes in `general`.
        mentions: each category that sources name, with every place in feeds.yaml that names it.
        entries: `publish.entries`, the default of each category.
        findings: collects problems and notes.
    """
    declared = {pair.name: _category(pair, entries) for pair in pairs}
    _check_unique(pairs, findings)
    _check_was(pairs, mentions, findings)
    used = dict.fromkeys(mentions) | dict.fromkeys(key for source in sources for key in source.categories)
    made = [key for key in used if key not in declared]
    known = DeclaredNames(declared if made and not findings.was_in_force else ())
    for number, key in enumerate(made):
        if key in mentions and key != GENERAL:
            refused = _slip(key, known)
            if refused is not None:
                for place in mentions[key]:
                    findings.problem_at(place, refused)
                continue
            near = nearest(key, declared) if number * len(declared) < MAX_COMPARED else None
            advice = f'did you mean "{near}"?' if near else "declare it to give it a title"
            if len(parts := _parts(key)) > 1:
                advice = f"if several are meant, write [{', '.join(parts)}]"
            what = f"category {quoted(key)} is not declared under categories: and is made"
            findings.note(mentions[key][0], f"{what}; {advice}")
    return (*declared.values(), *(Category(key=key, title=key, declared=False, entries=entries) for key in made))


def _slip(key: CategoryKey, declared: DeclaredNames) -> str | None:
    """Return the message for a name that is probably a misspelling; None for a valid new name."""
    parts = _parts(key)
    if len(parts) > 1 and any(part in declared for part in parts):
        what = f"{quoted(key)} is one name, and not declared as a category; write [{', '.join(parts)}]"
        return f"{what}, or add {quoted(key)}: {{}} under categories: if one category is meant"
    meant = declared.meant_by(key)
    if meant is None:
        return None
    what = f"category {quoted(key)} is not declared, and {quoted(meant)} is; write {quoted(meant)}"
    return f"{what}, or add {quoted(key)}: {{}} under categories: if both are meant"


def _parts(key: CategoryKey) -> list[str]:
    """Return the parts of a name with commas, which may have been meant as a list of names."""
    return [part.strip() for part in key.split(",") if part.strip()]


def _category(pair: Pair[str, Values], entries: int) -> Category:
    values = pair.value
    own_entries = values[CategoryKeys.entries]
    dedupe = values[CategoryKeys.dedupe]
    return Category(
        key=CategoryKey(pair.name),
        title=values[CategoryKeys.title] or pair.name,
        description=values[CategoryKeys.description],
        slug=values[CategoryKeys.slug],
        id=values[CategoryKeys.id],
        was=tuple(CategoryKey(name) for name in dict.fromkeys(values[CategoryKeys.was])),
        entries=entries if own_entries is None else own_entries,
        show=values[CategoryKeys.show],
        page_show=values[CategoryKeys.page_show],
        unlisted=values[CategoryKeys.unlisted],
        dedupe=None if dedupe is None else dedupe.dedupe,
        near=None if dedupe is None else dedupe.near,
        window=None if dedupe is None else dedupe.window,
        include=values[CategoryKeys.include],
        exclude=values[CategoryKeys.exclude],
        limit=values[CategoryKeys.limit],
    )


def _check_unique(pairs: Sequence[Pair[str, Values]], findings: Findings) -> None:
    for key in (CategoryKeys.slug, CategoryKeys.id):
        firsts: dict[str, Values] = {}
        for pair in pairs:
            value = pair.value[key]
            first = firsts.setdefault(value, pair.value) if value is not None else pair.value
            if value is not None and first is not pair.value:
                line = first.place(key).line
                what = f"{quoted(value)} is the {key.name} in line {line} already; write another"
                findings.problem_at(pair.value.place(key), what)


def _check_was(
    pairs: Sequence[Pair[str, Values]], mentions: Mapping[CategoryKey, Sequence[Node]], findings: Findings
) -> None:
    """Check that each earlier key in `was` is claimed by one category, and is no longer a category itself (A45)."""
    lines = {str(key): nodes[0].line for key, nodes in mentions.items()} | {pair.name: pair.key.line for pair in pairs}
    heirs: dict[str, str] = {}
    for pair in pairs:
        place = pair.value.place(CategoryKeys.was)
        for was in pair.value[CategoryKeys.was]:
            if was == pair.name:
                findings.problem_at(place, f"{quoted(was)} is this category's own key; remove it")
            elif was in lines:
                what = f"{quoted(was)} is still a category, in line {lines[was]}; remove it here, or rename it there"
                findings.problem_at(place, what)
            elif heirs.setdefault(was, pair.name) != pair.name:
                what = f"{quoted(was)} is claimed by {quoted(heirs[was])} already; remove it here or there"
                findings.problem_at(place, what)
