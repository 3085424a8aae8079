"""Values that templates see: texts without markup, links that are web addresses, dates as people write them."""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from zoneinfo import ZoneInfo

from aggregator.clean.language import SAMPLE, language_by_script
from aggregator.clean.text import line_of as plain
from aggregator.model.entry import Enclosure
from aggregator.model.settings import PageShow, Site
from aggregator.model.story import Document, Publication
from aggregator.render import fields
from aggregator.render.cache import LruCache
from aggregator.render.html_fragments import MAX_BYTES, dress
from aggregator.render.teaser import Excerpt, Picture, excerpt_of, picture_of, without_heading
from aggregator.render.theme import PageStyle, plain_style
from aggregator.render.translations import Messages

MAX_STORIES = 50  # in full on a page (A69)
HEADLINE_BYTES = 300  # our own part of a headline, about
LONG_TITLE = 90  # characters
RIGHT_TO_LEFT = frozenset("ar arc ckb dv fa he ks ku nqo ps sd syr ug ur yi".split())

SHOWN = ("<img", "<video")  # by these a text shows a picture itself

_TAG_OR_ENTITY = re.compile("<[^>]*>?|&[^;]{1,10};")


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
    day: str  # where nobody has told when the story was published, it says "or earlier"
    moment: str  # the same with the time of the day
    time: str  # of the day; empty if nobody has told when the story was published
    updated: tuple[str, str] | None = None  # for machines and for people; None: not since
    html: str = ""
    excerpt: str = ""  # beginning of the text as plain text; empty if the title says it all
    is_cut: bool = False  # the text goes on where `url` leads
    has_page: bool = False  # `url` is a page of this site
    credits: tuple[LinkText, ...] = ()
    attached: tuple[LinkText, ...] = ()
    image: Picture | None = None
    is_long: bool = False  # the title is too long for large letters

    @property
    def shows_picture(self) -> bool:
        """Whether `html` itself shows a picture or a film."""
        return any(tag in self.html for tag in SHOWN)


_stories: LruCache[tuple[Story, bool]] = LruCache(max_bytes=4 * 1024 * 1024, each_bytes=4096)


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
        return _builder(site, language, style or plain_style())

    def stories(self, document: Document) -> tuple[list[Story], list[Story]]:
        """Return the stories of a page as `document.page_show` says, and headlines of those that it has no room for."""
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
        shown = []
        for publication in sound[:MAX_STORIES]:
            story = self._story(publication, root=root)
            if story.is_cut and self._is_whole(publication, document.page_show):
                html = _html_of(publication)
                size = len(html.encode())
                if size <= room:
                    story = replace(story, html=html, is_cut=False)
                    room -= size
            shown.append(story)
        return shown, earlier

    def _is_whole(self, publication: Publication, show: PageShow | None) -> bool:
        return show is PageShow.FULL or (show is None and self._anywhere(publication)[1])

    def headlines(
        self, publications: Iterable[Publication], page: str, root: str | None = None, *, kept: bool = True
    ) -> tuple[Story, ...]:
        """Return stories without their content, for lists on other pages.

        Args:
            publications: the stories.
            page: where they stand, as a link.
            root: where links to stories' pages begin; None: they have none.
            kept: whether other pages show them in the same way.
        """
        sound = [publication for publication in publications if not fields.fault_of(publication)]
        return tuple([self._story(publication, page, root=root, kept=kept) for publication in sound])

    def summary(self, publication: Publication, page: str, root: str | None) -> Story:
        """Return a story without its content, for a list on another page.

        Args:
            publication: the story, without a fault (`fields.fault_of`).
            page: where it stands, as a link.
            root: where links to stories' pages begin; None: they have none.
        """
        return self._story(publication, page, root=root)

    def story(self, publication: Publication) -> Story:
        """Return a story for a page of its own."""
        story = self._story(replace(publication, noindex=False))
        html = _html_of(publication)
        return story if len(html.encode()) > MAX_BYTES else replace(story, html=html, is_cut=False)

    def _story(self, publication: Publication, page: str = "", *, root: str | None = None, kept: bool = True) -> Story:
        story, _ = self._anywhere(publication) if kept else self._made(publication)
        if root is None:
            return replace(story, url=story.original or f"{page}#{story.anchor}")
        return replace(story, url=f"{root}{story.url}", has_page=True)

    def _anywhere(self, publication: Publication) -> tuple[Story, bool]:
        """Return a story as all pages of one language and zone show it, and whether its text is short.

        Its `url` is the path of its page. It is kept: the river, the page of its category, the start page and pages of
        errors show the same story.
        """
        style = self.style
        about = (style.theme.digest, style.images, self.messages.language, self.language, self.zone.key)
        found = _stories.get((publication, about))
        if found is None:
            found = self._made(publication)
            texts = (publication.content, publication.summary, found[0].title, found[0].excerpt)
            _stories.keep((publication, about), found, sum(map(len, texts)))
        return found

    def _made(self, publication: Publication) -> tuple[Story, bool]:
        language = fields.language_of(publication.language)
        language = language or language_by_script(_beginning(publication), self.language)
        source = fields.source_title_of(publication)
        authors = [plain(p.name) for p in fields.named(publication.authors) if p.name != source]
        when = publication.published or publication.updated
        machine_updated, day = fields.instant(publication.updated), self.messages.day(when, self.zone)
        latest = self.messages.text("or_earlier", when=day)
        title = plain(fields.title_of(publication))
        # where stories stand together, the text of one that search engines are kept from is not shown
        text = "" if publication.noindex else _text_of(publication)
        excerpt = excerpt_of(text, title) if text else Excerpt("", is_short=True)
        image = picture_of(publication) if self.style.images and not publication.noindex else None
        story = Story(
            anchor=publication.page_id,
            title=title,
            url=f"{fields.story_path(publication.page_id)}.html",
            original=fields.web_address(publication.link),
            language=language if language and language.lower() != self.language.lower() else None,
            direction="rtl" if language and is_right_to_left(language) else "auto",
            source=LinkText(plain(source), fields.web_address(publication.origin.link)),
            authors=self.messages.text("list_separator").join(authors),
            machine_date=fields.instant(when),
            day=day if publication.published else latest,
            moment=self.messages.moment(when, self.zone) if publication.published else latest,
            updated=(machine_updated, self.messages.moment(publication.updated, self.zone))
            if machine_updated != fields.instant(when)
            else None,
            time=self.messages.time(when, self.zone) if publication.published else "",
            excerpt=plain(excerpt.text),
            is_cut=bool(text),
            credits=_credits(publication),
            attached=tuple(
                _attached(url, enclosure)
                for url, enclosure in fields.enclosures_of(publication)
                if not _is_seen(url, enclosure, image, text)
            ),
            image=image,
            is_long=len(title) > LONG_TITLE,
        )
        return story, excerpt.is_short


@lru_cache(maxsize=16)  # all pages in one language have the same
def _builder(site: Site, language: str, style: PageStyle) -> ContextBuilder:
    return ContextBuilder(site, style.theme.messages(site.language), ZoneInfo(site.timezone), language, style)


def _text_of(publication: Publication) -> str:
    return fields.content_of(publication) or fields.summary_of(publication)


def _html_of(publication: Publication) -> str:
    """Return the text of a story as a page shows it, below the story's title."""
    return dress(without_heading(_text_of(publication), plain(fields.title_of(publication))))


def _beginning(publication: Publication) -> str:
    """Return title and beginning of a story without markup, in which its script can be seen."""
    text = _TAG_OR_ENTITY.sub(" ", (publication.content or publication.summary)[: 2 * SAMPLE])
    return f"{publication.title} {text}"


def is_right_to_left(language: str) -> bool:
    """Return whether a language is written from right to left, by its first subtag."""
    return language.partition("-")[0].lower() in RIGHT_TO_LEFT


def _credits(publication: Publication) -> tuple[LinkText, ...]:
    copies = (LinkText(plain(c.title) or c.source, fields.web_address(c.link)) for c in publication.credits)
    return tuple(dict.fromkeys(copies))


def _is_seen(url: str, enclosure: Enclosure, image: Picture | None, text: str) -> bool:
    """Return whether a file is a picture that the page of its story shows anyway."""
    if not fields.type_of(url, enclosure).startswith("image/"):
        return False
    above = image is not None and url == image.address and not any(tag in text for tag in SHOWN)
    return above or f'src="{escape(url)}"' in text


def _attached(url: str, enclosure: Enclosure) -> LinkText:
    name = enclosure.title or posixpath.basename(url.partition("?")[0].partition("#")[0]) or url
    length = enclosure.length or 0
    size = "" if not length else f"{length / 1e6:.1f} MB" if length >= 1e6 else f"{max(length // 1000, 1)} kB"
    return LinkText(plain(name), url, size, audio=(enclosure.type or "").startswith("audio/"))
