"""Reads the page behind an entry's link into a `RawFeed` of one entry: `full_text` (S15; docs/full-text.md).

trafilatura comes with the extra `fulltext` and takes 300 ms to import: only the processes that read pages import it.
"""

import re
from typing import Final
from urllib.parse import urlsplit

from aggregator.errors import NotAFeed
from aggregator.model.entry import Person, RawEntry, RawFeed, RawImage, RawLink, RawSupplement, RawText
from aggregator.parse.elements import Page
from aggregator.parse.page_limits import exceeded_limit
from aggregator.parse.texts import MAX_TEXT
from aggregator.urls import Url

NOTHING: Final = "there is no article on the page"
SHORT: Final = 1500  # characters: a page that asks for a login or consent is shorter than this
_DATES: Final = (
    "meta[property='article:published_time']@content",
    "meta[itemprop=datePublished]@content",
    "meta[name=date]@content",
    "article time[datetime]@datetime",
)
_NAMES: Final = re.compile(r"\s*;\s*")
_CODE = re.compile(r"<pre>\s*<pre>(.*?)</pre>\s*</pre>", re.DOTALL)
_HEADLINE = re.compile(r"\s*<h1>(.*?)</h1>", re.DOTALL)
_BARRIER_PATH = re.compile(
    r"(?:^|[/._-])(?:log-?in|sign-?in|consent|captcha|cookiewall|paywall|subscribe)(?:[/._-]|$)", re.IGNORECASE
)
_BARRIER_TEXT = re.compile(  # texts of login, consent and challenge pages; not "cookie" alone, which is also food
    r"(?:log|sign) ?in to (?:continue|read|view)|subscribe to (?:continue|read)|to continue reading|"
    r"(?:enable|turn on|requires?) (?:javascript|cookies)|verify (?:that )?you are (?:a )?human|"
    r"are you a robot|not a (?:ro)?bot|checking your browser|just a moment|unusual traffic|access denied|"
    r"(?:we|and our partners|this (?:web)?site) uses? cookies|accept (?:all )?cookies|"
    r"bitte melden sie sich an|wir verwenden cookies|nous utilisons des cookies|"
    r"请先登录|登录后(?:查看|阅读|继续)|请开启\s*JavaScript|安全验证",
    re.IGNORECASE,
)


def article_of(text: str, url: Url) -> RawFeed:
    """Read the article on a page.

    The feed has one entry, or none if the page is a login, a consent page or a challenge instead of an article.

    Args:
        text: the page.
        url: the address that sent the response, after redirects; relative links are resolved against this address.

    Raises:
        NotAFeed: the body is not a web page.
    """
    if "<" not in text or text.lstrip()[:1] in ("{", "["):
        raise NotAFeed(url, "not a web page, so there is no article")
    if limit := exceeded_limit(text):
        raise NotAFeed(url, f"a page that is too expensive to parse: {limit}")
    from trafilatura.core import extract_with_metadata  # late: takes 300 ms
    from trafilatura.utils import load_html

    page = Page(text, url)
    tree = load_html(text)
    if tree is None:
        return _feed(url, page, left_out=(NOTHING,))
    for hidden in list(tree.iter("template")):  # a template is never displayed, but trafilatura reads it as text
        hidden.drop_tree()
    tree.make_links_absolute(url, handle_failures="discard")  # trafilatura resolves links against the root of the site
    found = extract_with_metadata(
        tree,
        url=url,
        output_format="html",
        include_comments=False,
        include_formatting=True,
        include_images=True,
        include_links=True,
    )
    html = (found.text or "").partition("<body>")[2][:MAX_TEXT] if found is not None else ""
    html = _CODE.sub(r"<pre><code>\1</code></pre>", html)
    plain = " ".join(re.sub(r"<[^>]*>", " ", html).split())
    why = _barrier_of(url, plain, has_password=page.first("input[type=password]@type") is not None)
    if found is None or not plain or why:
        return _feed(url, page, left_out=(why or NOTHING,))
    title = " ".join((found.title or "").split())
    if (headline := _HEADLINE.match(html)) and " ".join(headline[1].split()) == title:
        html = html[headline.end() :]
    image = page.first("meta[property='og:image']@content") or found.image
    date = next(filter(None, map(page.first, _DATES)), None) or found.date
    entry = RawEntry(
        title=RawText(value=title[:MAX_TEXT], type="text") if title else None,
        links=(RawLink(href=url),),
        contents=(RawText(value=html, type="html", base=url),),
        authors=tuple(Person(name=name) for name in _NAMES.split(found.author or "")[:10] if name),
        supplement=RawSupplement(images=(RawImage(href=image, base=url),) if image else ()),
        published=date[:100] if date else None,
    )
    return _feed(url, page, entry)


def _feed(url: Url, page: Page, *entries: RawEntry, left_out: tuple[str, ...] = ()) -> RawFeed:
    language = page.first("html@lang")
    return RawFeed(format="article", language=language, entries=entries, url=url, left_out=left_out)


def _barrier_of(url: Url, plain: str, *, has_password: bool) -> str | None:
    """Return why the page is a login, consent or challenge page; None if the page seems to be an article."""
    if _BARRIER_PATH.search(urlsplit(url).path) and (has_password or len(plain) < SHORT):
        return "the link leads to a page to log in or to consent"
    if len(plain) < SHORT and has_password:
        return "the page asks for a password"
    if len(plain) < SHORT and _BARRIER_TEXT.search(plain):
        return "the page asks for a login, for cookies, or for a person"
    return None
