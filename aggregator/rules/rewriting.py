"""`rewrite` steps: replacement of text in entries. Pure.

The original text stays with the entry: rules match it, and edited steps start from it again. Key and digest are those
of the original, so that an edit makes no revision (R47).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from aggregator.clean.sanitiser import checksums, sanitise
from aggregator.clean.text import plain_text
from aggregator.clean.titles import MAX_NAME, bounded_title
from aggregator.identify.keys import digest_of, text_digest_of
from aggregator.model.entry import Entry, Original, Person, Tag
from aggregator.model.replacement import parse_replacement
from aggregator.model.settings import Rewrite
from aggregator.rules.judgement import compiled
from aggregator.urls import BadUrl, normalise_link

if TYPE_CHECKING:
    import re2

MAX_TEXT: Final = 1 << 20  # characters of a text, before and after (I15)
MAX_ADDED: Final = 1 << 20  # characters that replacements may add to one text, groups apart


def rewritten(entry: Entry, steps: Sequence[Rewrite], allow_classes: frozenset[str] = frozenset()) -> Entry:
    """Return an entry after all steps.

    Args:
        entry: as its source published it, identified; or rewritten by other steps, which are undone first.
        steps: of its source.
        allow_classes: class names that cleaning keeps: HTML is cleaned again after a replacement (S30).
    """
    if entry.original is not None and entry.original.hooks:
        return entry  # a hook saw it after these steps; its program can't be run again on what is stored
    told = entry.as_told
    now, by = told, []
    for step in steps:
        after = _FIELDS[step.field](now, _replacing(step), allow_classes)
        if after != now:
            by.append(str(step))
            now = after
    return _with_original(now, told, by, allow_classes) if by else told


def changed_to(entry: Entry, now: Entry, by: str, allow_classes: frozenset[str], *, dropped: str = "") -> Entry:
    """Return an entry that a hook changed.

    Args:
        entry: as it was before.
        now: as the hook wants it.
        by: the hook, for `why`.
        allow_classes: class names that cleaning keeps.
        dropped: why the hook dropped it; empty if it did not.
    """
    if now == entry and not dropped:
        return entry
    before = entry.original.by if entry.original else ()
    made = _with_original(now, entry.as_told, (*before, by), allow_classes)
    assert made.original is not None
    return replace(made, original=replace(made.original, dropped=dropped))


def _with_original(now: Entry, told: Entry, by: Sequence[str], allow_classes: frozenset[str]) -> Entry:
    """Return a changed entry with its own digests, and with the fields that its source gave."""
    if (now.content or now.summary) != (told.content or told.summary):
        now = replace(now, text=plain_text(now.content or now.summary))
    changed = [html for html, before in ((now.content, told.content), (now.summary, told.summary)) if html != before]
    now = replace(now, cleaned=(*checksums(changed, allow_classes), *told.cleaned))
    original = Original(
        title=told.title,
        link=told.link,
        summary=told.summary,
        content=told.content,
        text=told.text,
        authors=told.authors,
        tags=told.tags,
        digest=told.digest,
        text_digest=told.text_digest,
        by=tuple(dict.fromkeys(by)),
    )
    return replace(now, digest=digest_of(now), text_digest=text_digest_of(now), original=original)


_Replace = Callable[[str], str]


def _replacing(step: Rewrite) -> _Replace:
    pattern = compiled(step.pattern)
    parts = parse_replacement(step.replacement)
    most = MAX_ADDED // len(step.replacement) if step.replacement else 0  # 0: as many as there are

    def filled(match: "re2._Match") -> str:
        return "".join(part if isinstance(part, str) else match[part.named] or "" for part in parts)

    def replaced(text: str) -> str:
        return str(pattern.sub(filled, text[:MAX_TEXT], count=most))[:MAX_TEXT] if text else text

    return replaced


def _title(entry: Entry, new: _Replace, _: frozenset[str]) -> Entry:
    return replace(entry, title=bounded_title(" ".join(new(entry.title).split())))


def _content(entry: Entry, new: _Replace, classes: frozenset[str]) -> Entry:
    return replace(entry, content=_html(entry.content, new, classes))


def _summary(entry: Entry, new: _Replace, classes: frozenset[str]) -> Entry:
    return replace(entry, summary=_html(entry.summary, new, classes))


def _html(html: str, new: _Replace, classes: frozenset[str]) -> str:
    after = new(html)
    return html if after == html else sanitise(after, None, classes).strip()


def _authors(entry: Entry, new: _Replace, _: frozenset[str]) -> Entry:
    people = ((person, name_of_tag(new(person.name))) for person in entry.authors)
    return replace(entry, authors=_kept(replace(one, name=name) for one, name in people if name or not one.name))


def name_of_tag(text: str) -> str:
    """Return the name of a tag or an author in its stored form."""
    return " ".join(text.split())[:MAX_NAME].rstrip()


def _kept(people: Iterable[Person]) -> tuple[Person, ...]:
    return tuple(dict.fromkeys(people))


def _tags(entry: Entry, new: _Replace, _: frozenset[str]) -> Entry:
    tags = []
    for tag in entry.tags:
        term = name_of_tag(new(tag.term))
        label = name_of_tag(new(tag.label)) or None if tag.label else None
        if term:
            tags.append(Tag(term=term, scheme=tag.scheme, label=label))
    return replace(entry, tags=tuple(dict.fromkeys(tags)))


def _link(entry: Entry, new: _Replace, _: frozenset[str]) -> Entry:
    after = new(entry.link) if entry.link else ""
    try:
        return replace(entry, link=normalise_link(after)) if after and after != entry.link else entry
    except BadUrl:
        return entry


_FIELDS: dict[str, Callable[[Entry, _Replace, frozenset[str]], Entry]] = {
    "title": _title,
    "content": _content,
    "summary": _summary,
    "author": _authors,
    "tag": _tags,
    "link": _link,
}
