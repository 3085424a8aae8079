"""Makes the records of `categories:`, and of categories that are named by sources alone."""

from collections.abc import Iterable, Mapping, Sequence

from aggregator.config.compounds import Pair
from aggregator.config.document import Node
from aggregator.config.findings import Findings, quoted
from aggregator.config.keys import CategoryKeys
from aggregator.config.misspellings import DeclaredNames
from aggregator.config.shapes import nearest
from aggregator.config.tables import Values
from aggregator.model.settings import GENERAL, Category, CategoryKey, Source

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
