"""Feeds of every format whose every field is hostile, an entry for each vector."""

import json
from collections.abc import Sequence
from html import escape

_ILLEGAL = dict.fromkeys([*range(9), 11, 12, *range(14, 32)])


def _xml(text: str) -> str:
    """Escape a text for XML; the control characters that it can't hold are left out."""
    return escape(text.translate(_ILLEGAL))


def hostile_rss(texts: Sequence[str], addresses: Sequence[str]) -> str:
    """Write RSS 2.0."""
    items = "".join(
        f"<item><guid>rss-{n} {_xml(text)}</guid><title>rss {n} {_xml(text)}</title><link>{_xml(address)}</link>"
        f"<author>{_xml(text)}</author><category domain='{_xml(address)}'>{_xml(text)}</category>"
        f"<enclosure url='{_xml(address)}' type='{_xml(text)}' length='1'/><comments>{_xml(address)}</comments>"
        f"<dc:language>{_xml(text)}</dc:language><dc:rights>{_xml(text)}</dc:rights><pubDate>{_xml(text)}</pubDate>"
        f"<media:thumbnail url='{_xml(address)}'/><description>summary {n} {_xml(text)}</description>"
        f"<content:encoded>content {n} {_xml(text)}</content:encoded></item>"
        for n, (text, address) in enumerate(_paired(texts, addresses))
    )
    first, link = _xml(texts[0]), _xml(addresses[0])
    return (
        '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/">'
        f"<channel><title>{first}</title><link>{link}</link><description>{first}</description><language>{first}"
        f"</language><copyright>{first}</copyright><image><url>{link}</url><link>{link}</link></image>{items}"
        "</channel></rss>"
    )


def hostile_rdf(texts: Sequence[str], addresses: Sequence[str]) -> str:
    """Write RSS 1.0."""
    items = "".join(
        f"<item rdf:about='{_xml(address)}#{n}'><title>rdf {n} {_xml(text)}</title><link>{_xml(address)}</link>"
        f"<dc:creator>{_xml(text)}</dc:creator><dc:subject>{_xml(text)}</dc:subject>"
        f"<description>rdf text {n} {_xml(text)}</description></item>"
        for n, (text, address) in enumerate(_paired(texts, addresses))
    )
    return (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<channel rdf:about='{_xml(addresses[0])}'><title>{_xml(texts[0])}</title></channel>{items}</rdf:RDF>"
    )


def hostile_atom(texts: Sequence[str], addresses: Sequence[str], kind: str) -> str:
    """Write Atom 1.0 whose texts are declared as `kind`: text, html, or xhtml with foreign elements in it."""

    def element(name: str, text: str, before: str) -> str:
        if kind != "xhtml":
            return f"<{name} type='{kind}'>{before}{_xml(text)}</{name}>"
        wrapped = (
            f"<div xmlns='http://www.w3.org/1999/xhtml'>{before}<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)"
            f"</script><a href='javascript:alert(1)'>s</a></svg><p onclick='{_xml(text)}' title='{_xml(text)}'>"
            f"{_xml(text)}</p><script>alert(1)</script><style>{_xml(text)}</style><img src='x' onerror='alert(1)'/>"
            "</div>"
        )
        return f"<{name} type='xhtml'>{wrapped}</{name}>"

    entries = "".join(
        f"<entry><id>{kind}-{n} {_xml(text)}</id>{element('title', text, f'{kind} {n} ')}<link href='{_xml(address)}'/>"
        f"<link rel='enclosure' href='{_xml(address)}' type='{_xml(text)}'/><author><name>{_xml(text)}</name>"
        f"<uri>{_xml(address)}</uri><email>{_xml(text)}</email></author>"
        f"<updated>2026-03-0{n % 9 + 1}T10:00:00Z</updated>"
        f"<category term='{_xml(text)}' scheme='{_xml(address)}' label='{_xml(text)}'/>{element('rights', text, '')}"
        f"<source><id>{_xml(address)}</id>{element('title', text, '')}<link href='{_xml(address)}'/></source>"
        f"{element('summary', text, f'{kind} summary {n} ')}{element('content', text, f'{kind} content {n} ')}</entry>"
        for n, (text, address) in enumerate(_paired(texts, addresses))
    )
    link = _xml(addresses[0])
    return (
        f"<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='{_xml(texts[0])}'><id>{link}</id>"
        f"{element('title', texts[0], '')}<icon>{link}</icon><logo>{link}</logo><link href='{link}'/>"
        f"{element('rights', texts[0], '')}{entries}</feed>"
    )


def hostile_json(texts: Sequence[str], addresses: Sequence[str]) -> str:
    """Write JSON Feed 1.1, which can hold control characters."""
    items = [
        {
            "id": f"json-{n} {text}",
            "url": address,
            "external_url": address,
            "title": f"json {n} {text}",
            "summary": f"json summary {n} {text}",
            "content_html": f"json content {n} {text}",
            "image": address,
            "banner_image": address,
            "language": text,
            "tags": [text],
            "authors": [{"name": text, "url": address, "avatar": address}],
            "attachments": [{"url": address, "mime_type": text, "title": text}],
        }
        for n, (text, address) in enumerate(_paired(texts, addresses))
    ]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": texts[0],
        "home_page_url": addresses[0],
        "icon": addresses[0],
        "favicon": addresses[0],
        "language": texts[0],
        "items": items,
    }
    return json.dumps(feed)


def _paired(texts: Sequence[str], addresses: Sequence[str]) -> list[tuple[str, str]]:
    """Pair each text with an address, all of both at least once."""
    return [(text, addresses[n % len(addresses)]) for n, text in enumerate(texts)]
