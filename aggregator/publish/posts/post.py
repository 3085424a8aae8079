"""Renders posts and their names from templates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from zoneinfo import ZoneInfo

from aggregator.clean.text import line_of as plain
from aggregator.clean.text import plain_text
from aggregator.errors import ConfigError, Problem, TemplateFailed
from aggregator.model.settings import Jekyll, Settings, Site
from aggregator.model.story import Publication
from aggregator.publish.posts.names import name_of
from aggregator.publish.posts.template import Plain, finished, name_template, post_template, read_template
from aggregator.render import fields
from aggregator.render.translations import load_messages

BUILT_IN = "post.md.j2"
SAMPLE = datetime.fromisoformat("2000-01-01T12:00:00+00:00")


@dataclass(frozen=True, slots=True)
class PostCategory:
    """A category; printed as such, its title."""

    slug: str
    title: Plain

    def __str__(self) -> str:
        return self.title


@dataclass(frozen=True, slots=True)
class PostAuthor:
    """An author; printed as such, the name."""

    name: Plain
    url: str  # empty if there is none

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class PostSource:
    """Source of a story, as templates see it."""

    key: str
    title: Plain
    url: str  # of the site's page; empty if there is none


@dataclass(frozen=True, slots=True)
class Story:
    """A story as the templates see it. All texts are plain but `html`, which went through the sanitiser."""

    key: str  # the entry's own id in its source; that of the page where this would tell a private address
    id: str  # of its page
    title: Plain
    link: str  # empty if it has none
    html: str  # the content, else the summary
    summary: Plain
    lead: Plain  # the summary where the content does not begin with it, or is it
    published: datetime  # in site.timezone, like `updated`; of an undated one, when it was published here
    updated: datetime
    authors: tuple[PostAuthor, ...]
    tags: tuple[Plain, ...]
    source: PostSource
    categories: tuple[PostCategory, ...]  # where it stands, this category first


class PostWriter:
    """Renders posts and names them, for one set of settings.

    Args:
        settings: with a `publish.jekyll`.

    Raises:
        ConfigError: a template can't be read, or can't even be filled in with a sample; names file and line.
    """

    def __init__(self, settings: Settings) -> None:
        assert settings.publish.jekyll is not None
        jekyll, site = settings.publish.jekyll, settings.site
        self._site, self._zone = site, ZoneInfo(site.timezone)
        self.source = _template_text(jekyll, settings)
        words = load_messages(site.language)
        known = {"site": _site_of(site), "words": words}
        self._template = post_template(self.source, str(jekyll.template or BUILT_IN), known)
        self._names = name_template(jekyll.file, str(settings.path), jekyll.file_at[0], known)
        sample = {"story": _sample(self._zone), "category": _category("sample", "Sample")}
        try:
            finished(self._template.render(sample))
            self._names.render(sample)
        except TemplateFailed as error:
            raise ConfigError([Problem(error.template, error.line, 1, error.why)]) from error
        except ValueError as error:
            raise ConfigError([Problem(str(jekyll.template or BUILT_IN), 1, 1, str(error))]) from error

    def render(self, publication: Publication, slug: str, title: str, others: Sequence[tuple[str, str]]) -> bytes:
        """Render the post of a publication.

        Args:
            publication: as it may be shown.
            slug: of the category where it stands.
            title: of that.
            others: slug and title of each other category where the story stands.

        Raises:
            TemplateFailed: with the line, and what is wrong there.
            ValueError: what comes of it is not a post, or the publication can't stand anywhere.
        """
        return finished(self._template.render(self._values(publication, slug, title, others))).encode()

    def name(self, publication: Publication, slug: str, title: str) -> str:
        """Return the name that a post may have, if no other has it.

        Raises:
            TemplateFailed: with the line, and what is wrong there.
            ValueError: the publication can't stand anywhere.
        """
        return name_of(self._names.render(self._values(publication, slug, title, ())), publication.page_id)

    def _values(
        self, publication: Publication, slug: str, title: str, others: Sequence[tuple[str, str]]
    ) -> dict[str, object]:
        fault = fields.fault_of(publication)
        if fault:
            raise ValueError(fault)
        category = _category(slug, title)
        categories = (category, *(_category(*other) for other in others))
        return {"category": category, "story": _story(publication, categories, self._zone)}


def check_templates(settings: Settings) -> None:
    """Check the templates of the settings by rendering a sample.

    Raises:
        ConfigError: one can't; names file and line.
    """
    if settings.publish.jekyll is not None:
        PostWriter(settings)


def _template_text(jekyll: Jekyll, settings: Settings) -> str:
    if jekyll.template is not None:
        return read_template(jekyll.template, (str(settings.path), *jekyll.template_at))
    return (files("aggregator.render") / "templates" / BUILT_IN).read_text(encoding="utf-8")


def _site_of(site: Site) -> dict[str, str]:
    return {
        "title": Plain(plain(site.title)),
        "base_url": str(site.base_url),
        "language": site.language,
        "timezone": site.timezone,
    }


def _story(publication: Publication, categories: tuple[PostCategory, ...], zone: ZoneInfo) -> Story:
    content, summary = fields.content_of(publication), fields.summary_of(publication)
    short, long = plain_text(summary), plain_text(content)
    return Story(
        key=publication.entry_key or publication.page_id,
        id=publication.page_id,
        title=Plain(plain(fields.title_of(publication))),
        link=fields.web_address(publication.link) or "",
        html=content or summary,
        summary=Plain(short),
        lead=Plain(short if content and not long.startswith(short.rstrip("….")) else ""),
        published=(publication.published or publication.sort_at).astimezone(zone),
        updated=publication.updated.astimezone(zone),
        authors=tuple(
            PostAuthor(Plain(plain(person.name)), person.uri or "") for person in fields.named(publication.authors)
        ),
        tags=tuple(dict.fromkeys(Plain(plain(tag.label or tag.term)) for tag in fields.tags_of(publication))),
        source=PostSource(
            publication.source,
            Plain(plain(fields.source_title_of(publication))),
            fields.web_address(publication.origin.link) or "",
        ),
        categories=categories,
    )


def _category(slug: str, title: str) -> PostCategory:
    return PostCategory(slug, Plain(plain(title)))


def _sample(zone: ZoneInfo) -> Story:
    when = SAMPLE.astimezone(zone)
    return Story(
        key="sample",
        id="0123456789abcdef",
        title=Plain("A sample"),
        link="https://example.org/sample",
        html="<p>A sample.</p>",
        summary=Plain("What it says in short."),
        lead=Plain("What it says in short."),
        published=when,
        updated=when,
        authors=(PostAuthor(Plain("An author"), "https://example.org/"),),
        tags=(Plain("a tag"),),
        source=PostSource("sample", Plain("A source"), "https://example.org/"),
        categories=(_category("sample", "Sample"),),
    )
