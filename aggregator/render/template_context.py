"""Values that templates see: texts without markup, links that are web addresses, dates as people write them."""

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from aggregator.clean.text import line_of as plain
from aggregator.clean.text import plain_text
from aggregator.model.entry import Enclosure
from aggregator.model.settings import Site
from aggregator.model.story import Document, Publication
from aggregator.render import fields
from aggregator.render.html_fragments import MAX_BYTES, dress, shorten
from aggregator.render.pictures import Picture, picture_of
from aggregator.render.theme import PageStyle, plain_style
from aggregator.render.translations import Messages

MAX_STORIES = 50  # in full on a page (A69)
HEADLINE_BYTES = 300  # our own part of a headline, about
EXCERPT = 400  # characters of a story that would make the page too large
RIGHT_TO_LEFT = frozenset("ar arc ckb dv fa he ks ku nqo ps sd syr ug ur yi".split())


@dataclass(frozen=True, slots=True)
class LinkText:
    """A name that may lead somewhere."""

    name: str
    url: str | None
    note: str = ""
    audio: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """A story as the templates see it: texts without markup, but for `html`, which went through the sanitiser."""

    anchor: str
    title: str
    url: str  # the story's page, else the original, else its place on the page
    original: str | None
    language: str | None  # None: the page's own
    direction: str  # rtl where its language says so, else auto: the first letters decide (I60)
    source: LinkText
    authors: str
    machine_date: str
    day: str
    moment: str
    updated: tuple[str, str] | None = None  # for machines and for people; None: not since
    html: str = ""
    excerpt: str = ""  # instead of `html`
    credits: tuple[LinkText, ...] = ()
    attached: tuple[LinkText, ...] = ()
    image: Picture | None = None

    @property
    def shows_picture(self) -> bool:
        """Whether `html` itself shows a picture or a film."""
        return any(tag in self.html for tag in ("<img", "<video"))


@dataclass(frozen=True, slots=True)
class ContextBuilder:
    """Turns records into what templates see, for one page in one language, zone and style."""

    site: Site
    messages: Messages
    zone: ZoneInfo
    language: str
    style: PageStyle

    @classmethod
    def of(cls, site: Site, language: str, style: PageStyle | None = None) -> "ContextBuilder":
        """Return the builder for a page in a language; labels are in the site's language. None: our own style."""
        style = style or plain_style()
        return cls(site, style.theme.messages(site.language), ZoneInfo(site.timezone), language, style)

    def stories(self, document: Document) -> tuple[list[Story], list[Story]]:
        """Return the stories in full, and the headlines of those for which the page has no room."""
        sound = [publication for publication in document.publications if not fields.fault_of(publication)]
        root = "../" * document.path.count("/") if document.has_story_pages else None
        room = MAX_BYTES
        earlier = []
        for publication in sound[MAX_STORIES:]:
            headline = self._story(publication, root=root)
            room -= HEADLINE_BYTES + len(f"{headline.title}{headline.url}{headline.source.name}".encode())
            if room < MAX_BYTES // 2:
                break
            earlier.append(headline)
        full = []
        for publication in sound[:MAX_STORIES]:
            if publication.noindex:  # its text stands on no page that search engines are let to
                full.append(self._story(publication, root=root))
                continue
            html = dress(fields.content_of(publication) or fields.summary_of(publication))
            size = len(html.encode())
            if size <= room:
                full.append(self._story(publication, root=root, html=html))
                room -= size
            else:
                full.append(self._story(publication, root=root, excerpt=_excerpt(html)))
        return full, earlier

    def headlines(self, publications: Iterable[Publication], page: str, root: str | None = None) -> tuple[Story, ...]:
        """Return stories without their content, for lists on other pages.

        Args:
            publications: the stories.
            page: where they stand, as a link.
            root: where links to stories' pages begin; None: they have none.
        """
        sound = (publication for publication in publications if not fields.fault_of(publication))
        return tuple(self._story(publication, page, root=root) for publication in sound)

    def story(self, publication: Publication) -> Story:
        """Return a story for a page of its own."""
        html = dress(fields.content_of(publication) or fields.summary_of(publication))
        if len(html.encode()) > MAX_BYTES:
            return self._story(publication, excerpt=_excerpt(html))
        return self._story(publication, html=html)

    def _story(
        self, publication: Publication, page: str = "", *, root: str | None = None, html: str = "", excerpt: str = ""
    ) -> Story:
        language = fields.language_of(publication.language)
        source = fields.source_title_of(publication)
        authors = [plain(p.name) for p in fields.named(publication.authors) if p.name != source]
        when = publication.published or publication.updated
        original = fields.web_address(publication.link)
        own = None if root is None else f"{root}{fields.story_path(publication.page_id)}.html"
        machine_updated = fields.instant(publication.updated)
        is_apart = publication.noindex and not (html or excerpt)  # on a page of many stories it has its title alone
        return Story(
            anchor=publication.page_id,
            title=plain(fields.title_of(publication)),
            url=own or original or f"{page}#{publication.page_id}",
            original=original,
            language=language if language and language.lower() != self.language.lower() else None,
            direction="rtl" if language and is_right_to_left(language) else "auto",
            source=LinkText(plain(source), fields.web_address(publication.origin.link)),
            authors=self.messages.text("list_separator").join(authors),
            machine_date=fields.instant(when),
            day=self.messages.day(when, self.zone),
            moment=self.messages.moment(when, self.zone),
            updated=(machine_updated, self.messages.moment(publication.updated, self.zone))
            if machine_updated != fields.instant(when)
            else None,
            html=html,
            excerpt=excerpt,
            credits=_credits(publication),
            attached=tuple(_attached(url, enclosure) for url, enclosure in fields.enclosures_of(publication)),
            image=picture_of(publication) if self.style.images and not is_apart else None,
        )


def _excerpt(html: str) -> str:
    return shorten(plain(plain_text(html)), EXCERPT)


def is_right_to_left(language: str) -> bool:
    """Return whether a language is written from right to left, by its first subtag."""
    return language.partition("-")[0].lower() in RIGHT_TO_LEFT


def _credits(publication: Publication) -> tuple[LinkText, ...]:
    copies = (LinkText(plain(c.title) or c.source, fields.web_address(c.link)) for c in publication.credits)
    return tuple(dict.fromkeys(copies))


def _attached(url: str, enclosure: Enclosure) -> LinkText:
    name = enclosure.title or posixpath.basename(url.partition("?")[0].partition("#")[0]) or url
    length = enclosure.length or 0
    size = "" if not length else f"{length / 1e6:.1f} MB" if length >= 1e6 else f"{max(length // 1000, 1)} kB"
    return LinkText(plain(name), url, size, audio=(enclosure.type or "").startswith("audio/"))
