"""Reads osmosfeed.yaml for `import`, with line numbers."""

from aggregator.cli.importing.planet import Imported
from aggregator.config.document import ListNode, MapNode, Node, Scalar, read_document
from aggregator.config.findings import Findings

_CACHE = "/cache.json"  # last part of `cacheUrl`, which is below the address of the site


def read_osmosfeed(data: bytes, name: str) -> Imported | None:
    """Read a YAML file with a list of feeds; None if it is not one.

    Args:
        data: the file.
        name: its name, for messages.
    """
    findings = Findings(name, {})
    root = read_document(data, findings)
    listed, name_of_address = _of(root, "sources"), "href"
    if listed is None:  # early versions
        listed, name_of_address = _of(root, "feeds"), "url"
    if not isinstance(listed, ListNode) or not any(_text(item, name_of_address) for item in listed.items):
        return None
    imported = Imported(form="osmosfeed", aliases={"feed.atom": "all.atom"})
    for problem in findings.problems:
        imported.remark(problem.line, problem.what)
    for ours, theirs in (("title", "siteTitle"), ("timezone", "timezone")):
        if (text := _text(root, theirs)) and text != "null":
            imported.settings["site", ours] = text
    cache = _text(root, "cacheUrl")
    if cache.endswith(_CACHE) and "<" not in cache:
        imported.settings["site", "base_url"] = cache.removesuffix(_CACHE) + "/"
    for item in listed.items:
        href = _text(item, name_of_address)
        if href:
            imported.add(item.line, href, _text(item, "title", "name") or None)
        else:
            imported.remark(item.line, "an item without href", is_lost=True)
    return imported


def _of(node: Node | None, key: str) -> Node | None:
    return node.values.get(key) if isinstance(node, MapNode) else None


def _text(node: Node | None, *keys: str) -> str:
    """Return the text of the first of some keys that a mapping has, or of a scalar; empty if there is none."""
    found = (value.raw for key in keys if isinstance(value := _of(node, key), Scalar) and not value.is_null)
    return next(found, "").strip()
