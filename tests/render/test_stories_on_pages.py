"""Stories as pages show them: each is made once, and shown in several places."""

from dataclasses import replace

import pytest

from aggregator.model.settings import Site
from aggregator.model.story import Publication
from aggregator.render.cache import forget_all
from aggregator.render.template_context import ContextBuilder
from tests.render.records import SITE, a_document, a_publication

LONG = "<p>" + "Some words of a text. " * 100 + "</p>"


@pytest.mark.parametrize(
    "publication",
    [a_publication(1), a_publication(2, content=LONG), a_publication(3, noindex=True), a_publication(4, link=None)],
)
@pytest.mark.parametrize("place", [("", None), ("index.html", None), ("category/a.html", ""), ("", "../")])
def test_a_story_that_was_made_for_another_page_is_as_one_made_for_this(
    publication: Publication, place: tuple[str, str | None]
) -> None:
    page, root = place
    forget_all()
    fresh = ContextBuilder.of(SITE, "en").summary(publication, page, root)
    forget_all()
    ContextBuilder.of(SITE, "en").summary(publication, "elsewhere.html", "../../")
    ContextBuilder.of(SITE, "de").summary(publication, page, root)
    ContextBuilder.of(Site(title="T", base_url=SITE.base_url, language="fr", timezone="Asia/Tokyo"), "en").summary(
        publication, page, root
    )
    assert ContextBuilder.of(SITE, "en").summary(publication, page, root) == fresh


def test_a_text_that_repeats_its_title_says_it_once() -> None:
    story = a_publication(1, title="Herons & storks", content="<h2>Herons &amp; storks</h2><p>They nest.</p>")
    scribe = ContextBuilder.of(SITE, "en")
    assert scribe.story(story).html == "<p>They nest.</p>"
    (shown,), _ = scribe.stories(a_document(story))
    assert shown.html == "<p>They nest.</p>"
    alone = scribe.story(replace(story, content="<p>Herons &amp; storks</p>"))
    assert (alone.html, alone.excerpt, alone.is_cut) == ("", "", False)
