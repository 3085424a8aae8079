"""Setting names of other feed readers, each with its equivalent in feeds.yaml.

People who come from Planet Venus, Miniflux, FreshRSS, newsboat or Tiny Tiny RSS write the key that they know. Our key
with the most similar spelling is mostly a wrong guess (`tags` is not `pages`), so each name is listed here. A key that
a table has is never in the list of that table; a test checks this.
"""

from collections.abc import Mapping

from aggregator.model.formats import FORMATS

_CATEGORY = "category: and a name, or a list of names"
_EVERY = "every"
_EXCLUDE = "exclude (entries to leave out) or include (the only entries to take), a list such as [{title: pattern}]"
_INCLUDE = "include, a list such as [{title: pattern}]"
_REWRITE = "rewrite, a list such as [{title: {replace: pattern, with: text}}]"
_FACE = "nothing here: docs/venus.md says where authors' pictures go; remove it"
_PAUSED = "paused: true for one that is not polled, and nothing for the others"
_LIMIT = "limit (entries that a poll reads) or initial (entries of the first poll that are published)"
_KEEP = "keep, such as 365d"
_FULL_TEXT = "full_text: true"
_HEADERS = 'headers, such as {Cookie: "${COOKIE}"}'
_PASSWORD = "url: https://${USER}:${PASSWORD}@host/path"
_TLS = "nothing: certificates are always checked; add the publisher's authority to those of this machine, and remove it"
_NOTE = "it as a comment, # and the text"
_SITE_OF_FEED = "nothing: the feed names its site itself; remove it"
_FORMATS = f"formats, such as [{', '.join(FORMATS)}]"
_CONTACT = "contact under site:, which goes into the User-Agent"
_BIND = "bind: 127.0.0.1:8080, address and port in one"


def _words(**meanings: str) -> Mapping[str, str]:
    """Return a mapping of word to meaning; each keyword argument is several words joined by `__`."""
    return {word: meaning for words, meaning in meanings.items() for word in words.split("__")}


_PACE = _words(
    interval__refresh__refresh_interval__refresh_rate__frequency__update__update_interval__poll__poll_interval__ttl=_EVERY,
    check_interval__fetch_interval__reload_time__period__cron_interval=_EVERY,
    cron='schedule: and five cron fields, such as "*/20 9-15 * * mon-fri"',
    max_items__max_entries__items_per_page__count__max__max_count__max_articles__per_feed=_LIMIT,
    retention__max_age__expire__expiry__keep_days__purge__keep_max__keep_for=_KEEP,
    connect_timeout__request_timeout__feed_timeout="timeout",
    deduplicate__unique__duplicates="dedupe: near, exact or off",
)

# For the HOME of each table: word, and the part of the message after "write".
EQUIVALENTS: Mapping[str, Mapping[str, str]] = {
    "": _words(
        feeds__feed__subscriptions__subscription__urls__url__source__channels__blogs__outlines="sources",
        name__link__owner__owner_name__owner_email__author__email="site: with title, base_url and contact",
        planet__settings__config__general__global__options="site:, publish: and defaults:, as docs/feeds.md says",
        tags__tag__folders__groups__labels="categories",
        output__output_dir__out__outdir__destination__cache_dir__output_directory="publish: {to: public/}",
        database__db__storage__cache__cache_directory__database_url="store: sqlite:///var/aggregator.db",
        threads__concurrency__max_workers__spider_threads__reload_threads="workers",
        filter__filters__exclude__include__rules="exclude or include, within a category or a source, or under defaults",
        port__listen__host__server__bind_address="serve: {bind: 127.0.0.1:8080}",
        template__templates__template_files__output_theme="theme under publish:, a folder",
        log_level__loglevel__log__logging__verbose="no key for it, but `aggregator -v` or `-q`",
        user_agent__useragent=_CONTACT,
        proxy_url__http_proxy="proxy",
        locale__lang="site: {language: en}",
        tz="site: {timezone: Europe/Berlin}",
        interval__refresh_interval__frequency__ttl__update_interval="defaults: {every: 1h}",
        include_file__import__imports__opml="a source {kind: opml, url: …}, whose feeds are polled as well",
    ),
    "site": _words(
        name="title",
        url__link__baseurl__address__root__host__domain="base_url",
        lang__locale="language",
        tz="timezone",
        email__mail__owner__owner_email__author__admin__user_agent="contact, a mail address or a page",
        theme__template="theme under publish:, a folder",
    ),
    "publish": _words(
        output__output_dir__out__dir__directory__folder__path__destination="to",
        format__output_format__types=_FORMATS,
        items__limit__max_entries__items_per_page__count__size="entries",
        compress__compression="gzip",
        template__templates="theme",
        websub__pubsubhubbub__pubsub="hub",
        days_per_page="nothing: pages are by number, see entries and archive_page",
    ),
    "serve": _words(port__host__listen__address__interface__addr=_BIND),
    "hosts": _words(
        delay__interval__wait__pause__crawl_delay__rate__rate_limit__sleep__space="spacing",
        concurrency__connections__threads__workers__max_connections="parallel",
        private__allow_local__local="allow_private",
    ),
    "defaults": {
        **_PACE,
        **_words(
            filter__filters__filter_rules__rules__block__blocklist__blacklist__block_filter_entry_rules=_EXCLUDE,
            keeplist__whitelist__allow__allowlist__keep_filter_entry_rules=_INCLUDE,
        ),
    },
    "categories": _words(
        name__label="title",
        feeds__sources__urls="nothing here: each source names its category itself; remove it",
        hidden__hide__hide_globally__private="unlisted",
        filter__filters__rules=_EXCLUDE,
        items__count__max_entries="entries",
        subtitle__about="description",
        path__url__address="slug",
    ),
    "sources": {
        **_PACE,
        **_words(
            name__label__alias__feed_title__custom_title="title (what pages show) or key (what commands call it)",
            id__guid__slug__identifier="key",
            feed__feed_url__feedurl__xmlurl__href__link__uri__address__rss__atom__location="url",
            site_url__siteurl__htmlurl__homepage__website__site=_SITE_OF_FEED,
            tags__tag__folder__folders__group__groups__label_names__labels__topic__topics__categories=_CATEGORY,
            enabled__active__disabled__inactive__suspended__enable__disable__off=_PAUSED,
            filter__filters__filter_rules__rules__match=_EXCLUDE,
            block__blocklist__blacklist__blocklist_rules__block_filter_entry_rules__ignore_article=_EXCLUDE,
            keeplist__keeplist_rules__whitelist__allow__allowlist__keep_filter_entry_rules=_INCLUDE,
            rewrite_rules__replace__urlrewrite_rules=_REWRITE,
            unicity__unicity_criteria__unicitycriteria__unique_by__key_by="identity: link, or identity: title",
            crawler__fulltext__full_content__fullcontent__fetch_full_content__scrape__scraper_rules__readability=_FULL_TEXT,
            selector__css__xpath="kind: html with items and entry",
            type__format="kind: feed, json, html, sitemap, file, opml or command; for RSS and Atom write nothing",
            user_agent__useragent="headers: {User-Agent: …}",
            cookie__cookies__auth__authorization__token__api_key__http_auth=_HEADERS,
            username__user__password__login__feed_username__feed_password=_PASSWORD,
            verify__verify_ssl__ssl_verify__insecure__tls__allow_self_signed_certificates__disable_http2=_TLS,
            charset__character_set="encoding",
            tz__time_zone="timezone",
            weight__order__rank="priority",
            description__comment__comments__note__notes__desc=_NOTE,
            face__faceheight__facewidth__avatar__icon__favicon__image__logo=_FACE,
            hide__hidden__hide_globally__mark_read__mark_as_read="unlisted: true in a category of its own",
            max_pages__depth="pages",
            proxy_url__http_proxy__fetch_via_proxy="proxy, such as http://host:3128",
            old_url__previous_url__moved_from__formerly__renamed_from="was",
        ),
    },
    "rules": {
        "and": "all",
        "or": "any",
        **_words(
            none__except__unless="not",
            text__body__description__summary__entrycontent__article="content",
            name__entrytitle__headline="title",
            url__href__entryurl__guid="link",
            category__categories__tags__label__entrytag="tag",
            authors__entryauthor__creator="author",
            lang="language",
            date__entrydate__older_than__max_age__published="age, such as 30d",
            regex__pattern__match__contains="the field that is searched: {title: pattern}",
        ),
    },
    "entry": _words(
        name__headline__heading="title",
        url__href__permalink__guid_link="link",
        guid__key__uuid="id",
        date__pubdate__pub_date__time__timestamp__created__created_at__published_at__datetime="published",
        modified__updated_at__modified_at="updated",
        body__text__html__content_html__article="content",
        description__desc__excerpt__teaser__abstract="summary",
        authors__creator__byline__by="author",
        tags__category__categories__topics__keywords="tag",
    ),
}
