"""Checks RSS 2.0 documents by our own reading of the specification and of the RSS Advisory Board's profile.

There is no schema of RSS to be had: its elements stand in any order, and what matters lies in texts (A50 to A53).
"""

import re
from collections import Counter
from datetime import datetime

from lxml import etree

from tests.render.checks import DATE, attributes, parsed
from tests.render.extension_profile import MEDIA, OTHERS, faults_of_extensions
from tests.render.values import MEDIA_TYPE, is_language, is_uri

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"

CHANNEL = "title link description language lastBuildDate ttl docs generator".split()
ITEM = "title link description category comments enclosure guid pubDate source".split()  # no author: A52
REQUIRED = {"title", "link", "description", "lastBuildDate", "ttl", "docs", "generator"}
MANY = {"category"}
SELF, HUB = ("self", "application/rss+xml"), ("hub", None)
RFC822 = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d "
    r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d (GMT|\+0000)"
)
WEB = re.compile(r"https?://[^\s<>\"{}|\\^`]+")
RELATIVE = re.compile(
    r"""\s(?:href|src|poster|cite)\s*=\s*["'](?!https?:|mailto:|tel:|#|[a-z+.-]+:)[^"']""", re.IGNORECASE
)
SCRIPT = re.compile(r"<(script|iframe|object|embed|meta|link|style|form)\b|\son\w+\s*=\s*[\"']", re.IGNORECASE)
MAIL = re.compile(r"[^\s@()<>]+@[^\s@()<>]+\.[a-z]{2,}")


def faults_of_rss(data: bytes) -> list[str]:
    """Name everything that is wrong with an RSS document."""
    rss = parsed(data)
    faults = [] if data.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<rss ") else ["another beginning"]
    faults += [] if data.endswith(b"</rss>\n") else ["no newline at its end"]
    if rss.tag != "rss" or attributes(rss) != {"version": "2.0"}:
        faults.append(f"root {rss.tag} {attributes(rss)}")
    if len(rss) != 1 or rss[0].tag != "channel":
        return [*faults, "not just one channel"]
    channel = rss[0]
    faults += _faults_of_children(channel, CHANNEL, (f"{ATOM}link", "item"))
    faults += [f"channel has no {name}" for name in REQUIRED if not (channel.findtext(name) or "").strip()]
    links = [attributes(link) for link in channel.iterchildren(f"{ATOM}link")]
    if [(link.get("rel"), link.get("type")) for link in links] not in ([SELF], [SELF, HUB]):
        faults.append(f"atom:links of the channel: {links}")
    faults += [
        f"no address: {e}" for e in (channel.findtext("link"), *(k.get("href") for k in links)) if not _is_web(e)
    ]
    faults += _faults_of_date(channel.findtext("lastBuildDate"))
    if not re.fullmatch("[1-9][0-9]{0,3}", channel.findtext("ttl") or ""):
        faults.append("ttl is no number of minutes")
    language = channel.findtext("language")
    if language is not None and not is_language(language):
        faults.append(f"language {language}")
    items = channel.findall("item")
    if items and list(channel)[-len(items) :] != items:
        faults.append("items are not the last of the channel")
    for item in items:
        faults += [f"{item.findtext('guid')}: {fault}" for fault in _faults_of_item(item)]
    guids = Counter(item.findtext("guid") for item in items)
    return faults + [f"guid twice: {guid}" for guid, count in guids.items() if count > 1]


def _faults_of_item(item: etree._Element) -> list[str]:
    known = [f"{CONTENT}encoded", f"{ATOM}updated", f"{ATOM}link"]
    known += [f"{DUBLIN_CORE}{name}" for name in ("creator", "language", "rights", "source")]
    faults = _faults_of_children(item, ITEM, (*known, *OTHERS))
    order = [child.tag for child in item]
    texts = {name: item.findtext(name) for name in ("title", "description", f"{CONTENT}encoded")}
    if not texts["title"] and not texts["description"]:
        faults.append("neither title nor description")
    if texts["title"] and "\n" in texts["title"]:
        faults.append("a title of several lines")
    for name in ("description", f"{CONTENT}encoded"):
        faults += [f"{name}: {found[0]}" for found in RELATIVE.finditer(texts[name] or "")]
        faults += [f"{name}: {found[0]}" for found in SCRIPT.finditer(texts[name] or "")]
    if f"{CONTENT}encoded" in order:
        if not texts["description"] or order.index("description") > order.index(f"{CONTENT}encoded"):
            faults.append("content:encoded without a description before it")
        if texts["description"] == texts[f"{CONTENT}encoded"]:
            faults.append("description says what content:encoded says")
    faults += [
        f"no address: {name}" for name in ("link", "comments") if name in order and not _is_web(item.findtext(name))
    ]
    guid = item.find("guid")
    if guid is None or not guid.text or attributes(guid) != {"isPermaLink": "false"}:
        faults.append("no guid, or one that may be a link")
    language = item.findtext(f"{DUBLIN_CORE}language")
    if language is not None and not is_language(language):
        faults.append(f"language {language}")
    for category in item.iterchildren("category"):
        if set(category.attrib) - {"domain"} or not is_uri(category.get("domain", "urn:example:none")):
            faults.append(f"category {attributes(category)}")
    faults += faults_of_extensions(item)
    faults += _faults_of_date(item.findtext("pubDate"))
    if not DATE.fullmatch(item.findtext(f"{ATOM}updated") or ""):
        faults.append("atom:updated is no date")
    for creator in item.iterchildren(f"{DUBLIN_CORE}creator"):
        if not creator.text or MAIL.fullmatch(creator.text):
            faults.append(f"creator {creator.text}")
    source = item.find("source")
    if source is not None and (set(source.attrib) != {"url"} or not _is_web(source.get("url")) or not source.text):
        faults.append("source needs an address and a name")
    if source is None and not item.findtext(f"{DUBLIN_CORE}source"):
        faults.append("no source")
    for enclosure in item.iterchildren("enclosure"):
        faults += _faults_of_file(enclosure, {"url", "length", "type"}, "length")
    for content in item.iterchildren(f"{MEDIA}content"):
        faults += _faults_of_file(content, {"url", "type"}, "fileSize")
    for link in item.iterchildren(f"{ATOM}link"):
        if link.get("rel") != "related" or not _is_web(link.get("href")):
            faults.append(f"atom:link {attributes(link)}")
    faults += [
        f"xml:{name}" for name in ("base", "lang") if f"{{http://www.w3.org/XML/1998/namespace}}{name}" in item.attrib
    ]
    return faults


def _faults_of_children(parent: etree._Element, plain: list[str], named: tuple[str, ...]) -> list[str]:
    """Name children that don't belong there, stand there too often, or say nothing."""
    faults = []
    for child in parent:
        tag = str(child.tag)
        if tag not in plain and not tag.startswith(named):
            faults.append(f"unknown element {tag}")
        if tag != "item" and not (child.text or "").strip() and not child.attrib:
            faults.append(f"empty element {tag}")
    counts = Counter(str(child.tag) for child in parent)
    return faults + [f"{tag} {counts[tag]} times" for tag in plain if counts[tag] > 1 and tag not in MANY]


def _faults_of_file(element: etree._Element, needed: set[str], size: str) -> list[str]:
    missing = needed - {str(name) for name in element.attrib}
    faults = [f"{element.tag} without {name}" for name in sorted(missing)]
    if not _is_web(element.get("url")) or not MEDIA_TYPE.fullmatch(element.get("type", "")):
        faults.append(f"{element.tag} {attributes(element)}")
    return faults + ([] if element.get(size, "0").isdigit() else [f"{element.tag}: size {element.get(size)}"])


def _faults_of_date(text: str | None) -> list[str]:
    if not RFC822.fullmatch(text or ""):
        return [f"date {text}"]
    when = datetime.strptime(str(text)[5:25], "%d %b %Y %H:%M:%S")  # noqa: DTZ007 - its zone was seen
    return [] if when.strftime("%a") == str(text)[:3] else [f"another day of the week: {text}"]


def _is_web(text: str | None) -> bool:
    return WEB.fullmatch(text or "") is not None
