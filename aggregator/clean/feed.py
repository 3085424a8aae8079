"""Cleans one document. A bad entry is left out and named; the other entries are kept (R41)."""

from dataclasses import replace

from aggregator.clean.date_conventions import day_first, is_in_figures, zone_of
from aggregator.clean.dates import read_date
from aggregator.clean.entry import Context, EmptyEntryError, clean_entry
from aggregator.clean.language import language_of
from aggregator.clean.links import alternate_of, related, resolve
from aggregator.clean.outlines import clean_outlines
from aggregator.clean.text import identifier_of, line_of
from aggregator.clean.titles import bounded_title, people_of, tags_of, title_of
from aggregator.model.entry import Entry, Feed, RawEntry, RawFeed
from aggregator.model.settings import Reading


def clean(raw: RawFeed, reading: Reading) -> Feed:
    """Clean a document: safe HTML, absolute URLs, dates in UTC, no characters that XML forbids.

    Entries keep their order and their `position`. A date without a zone is read in `reading.timezone`.
    """
    zone = zone_of(reading.timezone)
    site = alternate_of(raw.links, raw.url)
    language = language_of(raw.language)
    dates = (raw.updated, *(date for entry in raw.entries for date in (entry.published, entry.updated)))
    order = day_first(dates, language)
    context = Context(
        url=raw.url,
        site=site,
        zone=zone,
        day_first=order,
        allow_classes=reading.allow_classes,
        language=language,
        strip=reading.strip,
    )
    notices = list(raw.notices)
    entries: list[Entry] = []
    left_out: list[str] = list(raw.left_out)
    for entry in raw.entries:
        try:
            entries.append(clean_entry(entry, context, notices))
        except EmptyEntryError as error:
            left_out.append(f"{_name(entry)} {error}")
        except (ValueError, OverflowError, RecursionError) as error:  # not expected; one entry must not fail its source
            left_out.append(f"{_name(entry)}: {type(error).__name__}: {str(error)[:100]}")
    outlines = clean_outlines(raw, left_out) if raw.outlines else ()
    bases = (site, raw.url)
    return Feed(
        format=raw.format,
        id=identifier_of(raw.id),
        title=bounded_title(title_of(raw.title)),
        link=site,
        self_link=related(raw.links, "self", raw.url),
        authors=people_of(raw.authors, bases),
        updated=read_date(raw.updated, zone, day_first=order).when,
        rights=bounded_title(title_of(raw.rights)) or None,
        icon=resolve(raw.icon, bases) if raw.icon else None,
        logo=resolve(raw.logo, bases) if raw.logo else None,
        tags=tags_of(raw.tags),
        language=context.language,
        hints=raw.hints,
        entries=tuple(entries),
        outlines=outlines,
        more=tuple((url, read_date(when, zone).when) for href, when in raw.more if (url := resolve(href, (raw.url,)))),
        older=related(raw.links, "prev-archive", raw.url) or related(raw.links, "next", raw.url),
        following=raw.following,
        deleted=tuple(
            (found, read_date(when, zone).when) for ref, when in raw.deleted if (found := identifier_of(ref))
        ),
        encoding=raw.encoding,
        charset=raw.charset,
        notices=tuple(dict.fromkeys(line_of(notice) for notice in notices)),
        left_out=tuple(line_of(name) for name in left_out),
        cut=raw.cut,
        complete=raw.complete,
        dates_in_figures=any(map(is_in_figures, filter(None, dates))),
    )


def _name(entry: RawEntry) -> str:
    """Return the name of an entry for messages: its position, and its title or id."""
    title = title_of(replace(entry.title, value=entry.title.value[:200])) if entry.title else ""
    return f"entry {entry.position + 1} {(title or entry.id or '')[:80]!r}"
