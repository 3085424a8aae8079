"""No format publishes an address that a reader could run, wherever a feed may name one (S33)."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree, html

from aggregator.model.entry import Enclosure, Origin, Person, Tag
from aggregator.model.formats import FORMATS
from aggregator.model.settings import SourceKey
from aggregator.model.story import Credit, Publication
from aggregator.model.supplement import Image, Reference, Supplement
from aggregator.render.atom import render_atom
from aggregator.render.html_pages import render_category
from aggregator.render.jsonfeed import render_json
from aggregator.render.rss import render_rss
from aggregator.urls import Url
from tests.render.records import SITE, a_document, a_publication


def hostile(address: str) -> Publication:
    """Return a publication that names this address wherever a feed can."""
    url = Url(address)
    return replace(
        a_publication(1, summary="", content=f"<p><a href='{address}' onclick='x()'>a</a><img src='{address}'></p>"),
        link=url,
        authors=(Person(name="A", uri=url),),
        tags=(Tag(term="t", scheme=address),),
        enclosures=(Enclosure(url=url, type="image/png"),),
        origin=Origin(
            id="urn:example:1",
            title="x",
            link=url,
            self_link=url,
            icon=url,
            logo=url,
            authors=(Person(name="B", uri=url),),
            tags=(Tag(term="t", scheme=address),),
        ),
        credits=(Credit(source=SourceKey("x"), title="x", link=url, site=url),),
        language=address,
        supplement=Supplement(
            images=(Image(url=url),),
            player=url,
            replies=(Reference(url=url, type="text/html", language=address),),
            transcripts=(Reference(url=url, type="text/vtt"),),
            chapters=Reference(url=url, type="application/json+chapters"),
        ),
    )


@pytest.mark.parametrize("address", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "vbscript:x"])
def test_s33_an_address_that_could_be_run_is_published_nowhere(address: str) -> None:
    document = a_document(hostile(address))
    for data in (
        render_atom(document, SITE, html=True),
        render_rss(document, SITE, ttl=15, html=True),
        render_json(document, SITE, "urn:example:store", html=True),
        render_category(document, SITE, frozenset(FORMATS) - {"html"}),
    ):
        assert address not in data.decode()


@pytest.mark.parametrize("name", ["</title><script>alert(1)</script>", '" onload="alert(1)', "<img src=x onerror=a()>"])
def test_s39_a_foreign_name_is_text_in_every_format(name: str) -> None:
    person = Person(name=name, uri=Url('https://e.example/"><script>'))
    origin = Origin(id="urn:example:1", title=name, authors=(person,), rights=name, tags=(Tag(term=name, label=name),))
    publication = a_publication(1, title=name, authors=(person,), tags=(Tag(term=name, label=name),), origin=origin)
    publication = replace(
        publication,
        enclosures=(Enclosure(url=Url("https://e.example/a.mp3"), type='audio/mpeg"; onload="x', title=name),),
        credits=(Credit(source=SourceKey("x"), title=name, link=Url("https://e.example/")),),
        rights=name,
    )
    document = a_document(publication, title=name, description=None)
    for data in (render_atom(document, SITE, html=True), render_rss(document, SITE, ttl=15, html=True)):
        kinds = {etree.QName(element).localname for element in etree.fromstring(data).iter()}
        assert not kinds & {"script", "img"}
    assert not re.search("[<>]", render_json(document, SITE, "urn:example:store", html=True).decode())
    assert json.loads(render_json(document, SITE, "urn:example:store", html=True))["title"] == name
    page: Any = html.document_fromstring(render_category(document, SITE, frozenset(FORMATS) - {"html"}))
    assert not page.xpath("//script | //img[@onerror] | //@onload")
