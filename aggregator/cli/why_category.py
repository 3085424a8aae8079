"""What `why` says of a category."""

from aggregator.cli.why_frame import Frame, Section
from aggregator.cli.why_words import indented
from aggregator.clock import rfc3339
from aggregator.model.trail import CategoryRecord


def category_section(category: CategoryRecord, frame: Frame) -> Section:
    """Tell of a category: how it looks, what stands in it, and whether its files say so."""
    settings = frame.roster.categories.get(category.key)
    sources = [key for key, source in frame.roster.sources.items() if category.key in source.places]
    look = "left feeds.yaml: its files stay, nothing new enters"
    if settings is not None and category.active:
        listed = "in no index, OPML or all.*" if settings.unlisted else "listed"
        look = f"“{settings.title}”, shows {settings.show.value}, {settings.entries} or more in its main feed, {listed}"
    dirty = "its files are as the store says"
    if category.rendered_at is None and category.changes:
        dirty = "not rendered yet"
    elif category.changes or category.look is None:
        pages = "".join(f", archive page {page}" for page in category.dirty_pages)
        dirty = f"to be rendered: main feed{pages} ({category.changes} changes since it was rendered)"
    lines = [
        f"{category.key} (category/{category.slug})",
        *indented(
            [
                f"{look}; feed id {category.feed_id}, made {frame.moment(category.created_at)}",
                f"{category.stories} stories, {category.main} in the main feed, {category.pages} archive pages; "
                f"the last story entered {frame.moment(category.newest)}",
                f"{category.withdrawn} withdrawn, {category.tombstones} of them with a tombstone in the main feed",
                f"{dirty}; last rendered {frame.moment(category.rendered_at)}",
                f"sources: {', '.join(map(frame.name, sources)) or 'none'}",
            ]
        ),
    ]
    record = {
        "kind": "category",
        "key": category.key,
        "slug": category.slug,
        "id": category.feed_id,
        "active": category.active,
        "look": category.look,
        "stories": category.stories,
        "main": category.main,
        "pages": category.pages,
        "newest": rfc3339(category.newest),
        "withdrawn": category.withdrawn,
        "tombstones": category.tombstones,
        "changes": category.changes,
        "dirty_pages": list(category.dirty_pages),
        "rendered": rfc3339(category.rendered_at),
        "sources": sources,
    }
    return Section(lines, record)
