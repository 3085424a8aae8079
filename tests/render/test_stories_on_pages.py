"""Stories as pages show them: each is made once, and shown in several places."""

import pytest

from aggregator.model.settings import Site
from aggregator.model.story import Publication
from aggregator.render.cache import forget_all
from aggregator.render.template_context import ContextBuilder
from tests.render.records import SITE, a_publication

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
