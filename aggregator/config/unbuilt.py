"""What feeds.yaml may say already and the program can't do yet. Whoever builds one of these deletes its line.

A word is `table.key`, or `table.key=value` for one value of a key. What it says is accepted, checked as far as its
shape goes, and named in a warning with what happens in the meantime (DESIGN 3.1, Defaults and paths).
"""

UNBUILT: dict[str, str] = {
    "publish.formats=rss": "no .rss files are written",
    "publish.entry_pages": "no entry pages are written",
    "publish.refresh": "pages don't reload themselves",
    "publish.theme": "the built-in templates are used",
    "publish.static": "nothing is copied",
    "publish.aliases": "no copies are made",
    "publish.jekyll": "no posts are written",
    "defaults.keep": "everything is kept",
    "defaults.dedupe=near": "exact is used",
    "categories.dedupe=near": "exact is used",
    "dedupe.near": "exact is used",
    "dedupe.window": "it has no effect",
    "sources.schedule": "the source is polled as with every: auto",
    "sources.rewrite": "entries stay as they are",
    "sources.route": "entries go to the source's categories only",
    "sources.full_text": "the feed's own text is used",
    "sources.noindex": "it has no effect",
    "sources.pages": "only the feed's own address is asked",
    "sources.trust": "it has no effect",
    "sources.robots": "it has no effect",
    "sources.items": "it has no effect",
    "sources.entry": "it has no effect",
    "sources.detail": "it has no effect",
    "sources.method": "it has no effect",
    "sources.body": "it has no effect",
    "kind.json": "the source is not polled",
    "kind.html": "the source is not polled",
    "kind.sitemap": "the source is not polled",
    "kind.opml": "the source is not polled",
    "category.{fields}": "its entries go to general",
}


def is_built(word: str) -> bool:
    """Tell whether a key or value has its function already."""
    return word not in UNBUILT
