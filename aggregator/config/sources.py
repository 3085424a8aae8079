"""Makes the records of `sources:`, and finds duplicate addresses, keys and `was` among all sources (R52, P66)."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from aggregator.config.addresses import (
    Address,
    command_address,
    file_address,
    has_literal_secret,
    is_path,
    read_as,
    web_address,
)
from aggregator.config.document import ListNode, MapNode, Node, Scalar
from aggregator.config.findings import Findings, Unfit, quoted
from aggregator.config.hosts import with_shortest_intervals
from aggregator.config.intervals import IntervalCheck
from aggregator.config.patterns import missing_group
from aggregator.config.records import RECORDS, Records, check_paths, first_address, paged, records_of
from aggregator.config.source_keys import (
    REPLACED,
    SOURCE,
    ReplaceKeys,
    RewriteKeys,
    RouteKeys,
    SourceKeys,
    StripKeys,
)
from aggregator.config.tables import Values
from aggregator.config.vocabulary import SOURCE_KEY
from aggregator.errors import ExtraMissing
from aggregator.model.detail import ARTICLE
from aggregator.model.hosts import rule_for
from aggregator.model.settings import (
    GENERAL,
    NEAR,
    CategoryKey,
    Detail,
    HostRule,
    Kind,
    Program,
    Reading,
    Request,
    Rewrite,
    Route,
    Rule,
    Secret,
    Source,
    SourceKey,
)
from aggregator.model.template import has_fields
from aggregator.model.tokens import safe_address
from aggregator.urls import host_of

FULLTEXT = ("trafilatura", "lxml_html_clean")  # libraries of the extra `fulltext`
WINDOW = timedelta(days=7)
# Keys whose value goes into the field of the same name of `Source`, from `defaults:` if the source does not say it.
_MADE = frozenset(
    {"key", "url", "every", "dedupe", "was", "rewrite", "headers", "detail", "proxy"}
)  # of these more is made
_PLAIN = tuple(
    SOURCE.keys[field.name] for field in fields(Source) if field.name in SOURCE.keys and field.name not in _MADE
)
_SECRET_HEADER = re.compile(r"auth|cookie|token|secret|key|passw|session", re.I)
_MAX_HOST = 71  # characters of the host in a derived key: with hyphen and digits 80
_USE_VARIABLE = "write ${NAME}, and set NAME in the environment"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SourceContext:
    """Settings outside of a source that its record depends on."""

    folder: Path  # folder of feeds.yaml
    defaults: Values  # `defaults:`
    zone: str  # `site.timezone`
    rules: tuple[HostRule, ...]  # `hosts:`
    has_all_rules: bool  # false if a rule could not be read, which may have `allow_private`


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """The rules of `defaults`."""

    include: tuple[Rule, ...] = ()
    exclude: tuple[Rule, ...] = ()
    rewrite: tuple[Rewrite, ...] = ()
    routes: tuple[Route, ...] = ()
    strip: tuple[str, ...] = ()

    def in_words(self) -> frozenset[str]:
        """Return the rules as `why` and `status` show them."""
        named = (
            ("include", self.include),
            ("exclude", self.exclude),
            ("rewrite", self.rewrite),
            ("route", self.routes),
        )
        return frozenset(f"{name} {rule}" for name, rules in named for rule in rules)


_NO_RULES = _Rules()
_RULES = frozenset({"include", "exclude", "rewrite", "route"})  # keys that `defaults` adds to those of a source


class SourceReader:
    """Makes the records of sources one after the other, and records URLs, keys and earlier keys to find duplicates."""

    def __init__(self, context: SourceContext, findings: Findings) -> None:
        self.mentions: dict[CategoryKey, list[Node]] = {}  # category -> places in feeds.yaml that name it, in order
        self._context, self._findings = context, findings
        self._intervals = IntervalCheck(context.defaults, findings)
        self._root = context.folder.resolve()
        self._urls: dict[tuple[str, str], Values] = {}  # URL and body of a request -> the first source with them
        self._keys: dict[str, Values] = {}
        self._claims: list[tuple[Node, str, SourceKey]] = []  # place of a `was`, the earlier name, key of its source
        self._readings: dict[Reading, Reading] = {}  # equal records are shared: most sources have the same
        self._made_hooks: dict[int, tuple[Program, ...]] = {}  # by the list that is written: most are of `defaults`
        self._groups: dict[tuple[str, ...], tuple[CategoryKey, ...]] = {}
        self._rules = _NO_RULES
        if isinstance(context.defaults.node, MapNode) and _RULES.intersection(context.defaults.node.values):
            self._rules = self._rules_of(context.defaults)
        self.default_rules = self._rules.in_words()

    def read(self, sources: Sequence[Values]) -> tuple[Source, ...]:
        """Return the records of all sources. A source without a valid address is reported and left out."""
        read = [(values.node, source) for values in sources if (source := self._source(values)) is not None]
        self._check_claims([source for _, source in read])
        self._check_same(read)
        return with_shortest_intervals(read, self._context.rules, self._findings)

    def _source(self, values: Values) -> Source | None:
        kind = values[SourceKeys.kind]
        program = self._program(values, kind)
        address = self._address(values, kind, program)
        rule = rule_for(host_of(address.url), self._context.rules) if address and address.path is None else None
        allow_private = rule is not None and rule.allow_private
        self._check_intervals(values, address, allow_private)
        headers, accept = self._headers(values, address)
        categories, filing = self._categories(values, kind)
        records = records_of(values, kind, self._findings)
        pages = paged(values, records.request, self._findings)
        if address is None:
            return None
        key = self._key(values, address)
        defaults = self._context.defaults
        dedupe = values.over(SourceKeys.dedupe, defaults)
        usual = defaults[SourceKeys.dedupe]
        plain = {declared.name: values.over(declared, defaults) for declared in _PLAIN}
        shared = self._usual(values)
        if self._rules is not _NO_RULES:
            plain["include"] = _narrowed(shared.include, values[SourceKeys.include])
            plain["exclude"] = (*shared.exclude, *values[SourceKeys.exclude])
        if plain["hooks"]:
            plain["hooks"] = self._hooks(values, plain["hooks"])
        return Source(
            **plain,
            key=key,
            url=address.url,
            safe_url=safe_address(address.url, self._findings.secrets, private=values[SourceKeys.private]),
            path=address.path,
            program=program,
            line=values.node.line,
            categories=categories,
            reading=self._reading(values, kind, records, filing),
            request=pages.request,
            paging=pages.paging,
            detail=self._article(values, kind) or records.detail,
            every=None if values.says(SourceKeys.schedule) else values.over(SourceKeys.every, defaults),
            schedule_zone=self._context.zone,
            dedupe=dedupe.dedupe,
            near=_first(dedupe.near, usual.near, NEAR),
            window=_first(dedupe.window, usual.window, WINDOW),
            own_dedupe=values.says(SourceKeys.dedupe),
            was=self._was(values, key),
            rewrite=(*shared.rewrite, *self._rewrite(values)),
            routes=(*shared.routes, *self._routes(values)),
            headers=headers,
            auth=address.auth,
            allow_private=allow_private,
            accept=accept,
            proxy=self._proxy(values, kind),
        )

    def _usual(self, values: Values) -> "_Rules":
        """Return the rules of `defaults` that apply to a source."""
        return _NO_RULES if self._rules is _NO_RULES or not values[SourceKeys.default_rules] else self._rules

    def _rules_of(self, defaults: Values) -> "_Rules":
        return _Rules(
            include=defaults[SourceKeys.include],
            exclude=defaults[SourceKeys.exclude],
            rewrite=self._rewrite(defaults),
            routes=self._routes(defaults),
            strip=_stripped(defaults),
        )

    def _proxy(self, values: Values, kind: Kind) -> Secret | None:
        proxy = values[SourceKeys.proxy]
        if proxy is None:
            return None
        place = values.place(SourceKeys.proxy)
        if kind in (Kind.FILE, Kind.COMMAND):
            self._findings.warn(place, f"proxy has no effect on kind {kind}; remove it")
        elif isinstance(place, Scalar) and has_literal_secret(place.raw):
            self._findings.warn(place, f"a password is written out in this URL; {_USE_VARIABLE}")
        return Secret(proxy)

    def _program(self, values: Values, kind: Kind) -> Program | None:
        """Return the program of a `kind: command`; keys that only such a source has are reported elsewhere."""
        if kind is not Kind.COMMAND:
            written = values.node.values if isinstance(values.node, MapNode) else {}
            for key in (SourceKeys.arguments, SourceKeys.environment):
                if key.name in written:
                    what = f"{key.name} has no effect on kind {kind}; write kind: command, or remove it"
                    self._findings.warn(values.place(key), what)
            return None
        from aggregator.config.programs import command_of  # late: few sources are programs

        timeout = values.over(SourceKeys.timeout, self._context.defaults)
        return command_of(values, timeout, self._root, self._findings)

    def _hooks(self, values: Values, written: tuple[Values, ...]) -> tuple[Program, ...]:
        for key in (SourceKeys.full_text, SourceKeys.detail):
            if values[key]:
                what = f"hooks would not see what {key.name} adds; remove one of the two, or write hooks: [] here"
                self._findings.problem_at(values.place(key), what)
        made = self._made_hooks.get(id(written))
        if made is None:
            from aggregator.config.programs import hooks_of  # late: few sources have hooks

            made = self._made_hooks[id(written)] = hooks_of(written, self._root, self._findings)
        return made

    def _address(self, values: Values, kind: Kind, program: Program | None) -> Address | None:
        text = values[SourceKeys.url]  # with all blanks: a file name may have two in a row
        if text is None or values.is_bad(SourceKeys.kind):  # without a kind the form of the address is not known
            return None
        if kind is Kind.COMMAND:
            return None if program is None else command_address(program.path, program.arguments)
        place = values.place(SourceKeys.url)
        raw = place.raw if isinstance(place, Scalar) else text
        try:
            is_file = kind is Kind.FILE or (kind is Kind.OPML and is_path(text))
            address = file_address(text, self._root) if is_file else web_address(first_address(values, text), raw)
        except Unfit as unfit:
            self._findings.problem_at(place, f"{quoted(raw)} {unfit}")
            return None
        if address.auth is not None:
            user, password = address.auth
            self._findings.keep_secret(str.__str__(password) or user)
        if not is_file and (rewritten := read_as(text)) is not None:
            what = f"is read as {quoted(rewritten)}; write that" if raw == text else "has no web scheme; write https://"
            self._findings.warn(place, f"{quoted(raw)} {what}")
        if has_literal_secret(raw):
            self._findings.warn(place, f"a password or token is written out in this URL; {_USE_VARIABLE}")
        return address

    def _check_intervals(self, values: Values, address: Address | None, allow_private: bool) -> None:
        is_own = allow_private or (address is not None and address.path is not None)
        if values[SourceKeys.kind] is Kind.OPML:
            is_own = False  # the intervals hold for the feeds of the list too, which may be on other hosts
        can_tell = is_own or (address is not None and self._context.has_all_rules)
        self._intervals.check(values, is_own_machine=is_own if can_tell else None)

    def _key(self, values: Values, address: Address) -> SourceKey:
        """Return the key of the source. A URL or key that another source has is reported."""
        place = values.place(SourceKeys.url)
        body = values[SourceKeys.body]
        first = self._urls.setdefault((address.url, "" if body is None else repr(body)), values)
        written = values[SourceKeys.key_]
        key = SourceKey(written) if written is not None else derived_key(address, self._root)
        if written is None and isinstance(place, Scalar) and "${" in place.raw and not address.auth:
            self._findings.note(
                place, "its key is made from the URL and changes with the secret, as if the source were new; write key:"
            )
        if first is not values and isinstance(place, Scalar):
            what = f"{quoted(place.raw)} is already polled by the source in line {first.node.line}"
            self._findings.problem_at(place, f"{what}; write all its categories there as a list, or use route")
            if written is None:
                return key
        first = self._keys.setdefault(key, values)
        if first is not values:
            what = f'"{key}" is the key of the source in line {first.node.line}; write another key'
            self._findings.problem_at(values.place(SourceKeys.key_), what)
        return key

    def _reading(self, values: Values, kind: Kind, records: Records, filing: tuple[str, ...]) -> Reading:
        reading = Reading(
            kind=kind,
            encoding=values[SourceKeys.encoding],
            timezone=values[SourceKeys.timezone],
            limit=values.over(SourceKeys.limit, self._context.defaults),
            allow_classes=frozenset(values[SourceKeys.allow_classes]),
            items=records.items,
            fields=records.fields,
            filing=filing,
            asked=records.asked,
            next=values[SourceKeys.next] if kind is Kind.JSON else None,
            identity=values[SourceKeys.identity],
            ignore=frozenset(values[SourceKeys.ignore]),
            strip=(*self._usual(values).strip, *_stripped(values)),
        )
        return self._readings.setdefault(reading, reading)

    def _article(self, values: Values, kind: Kind) -> Detail | None:
        """Return the request for the article page of each entry; None without `full_text`."""
        if not values[SourceKeys.full_text]:
            return None
        place = values.place(SourceKeys.full_text)
        is_local = kind in (Kind.FILE, Kind.COMMAND)
        if is_local or (kind in RECORDS and values.says(SourceKeys.detail)):
            other = f"on kind {kind}" if is_local else "beside detail"
            self._findings.warn(place, f"full_text has no effect {other}; remove it")
            return None
        if not all(map(find_spec, FULLTEXT)):
            self._findings.problem_at(place, str(ExtraMissing("full_text", "fulltext")))
        reading = Reading(
            timezone=values[SourceKeys.timezone],
            allow_classes=frozenset(values[SourceKeys.allow_classes]),
            strip=(*self._usual(values).strip, *_stripped(values)),
            is_article=True,
        )
        return Detail(url=ARTICLE, request=Request(), reading=self._readings.setdefault(reading, reading))

    def _rewrite(self, values: Values) -> tuple[Rewrite, ...]:
        """Return the replacement steps in order; fields of one step in the order of the documentation."""
        steps: list[Rewrite] = []
        for step in values[SourceKeys.rewrite]:
            if isinstance(step.node, MapNode) and not step.node.keys:
                self._findings.problem_at(
                    step.node, "a step without a field does nothing; write {strip: {css: selector}}"
                )
            for field in REPLACED:
                what = step[field]
                pattern = None if what is None else what[ReplaceKeys.replace]
                if what is not None and pattern is not None:
                    missing = missing_group(pattern, what[ReplaceKeys.with_])
                    if missing is not None:
                        self._findings.problem_at(what.place(ReplaceKeys.with_), missing)
                    steps.append(Rewrite(field=field.name, pattern=pattern, replacement=what[ReplaceKeys.with_]))
        return tuple(steps)

    def _routes(self, values: Values) -> tuple[Route, ...]:
        routes: list[Route] = []
        for item in values[SourceKeys.route]:
            when, to = item[RouteKeys.when], item[RouteKeys.to]
            if when is None or to is None:
                continue
            place = item.place(RouteKeys.to)
            if has_fields(to):
                self._findings.problem_at(
                    place, f"{quoted(to)} has {{fields}}, which only category: may have; write a name"
                )
                continue
            self.mentions.setdefault(CategoryKey(to), []).append(place)
            routes.append(Route(when=when, to=CategoryKey(to)))
        return tuple(routes)

    def _categories(self, values: Values, kind: Kind) -> tuple[tuple[CategoryKey, ...], tuple[str, ...]]:
        """Return the categories of all entries, and the texts with `{fields}` by which an item names its categories."""
        names = values[SourceKeys.category]
        filing = tuple(name for name in names if has_fields(name)) if kind in RECORDS else ()
        if values.says(SourceKeys.category):
            place = values.place(SourceKeys.category)
            items = _items(place)
            for number, name in enumerate(names):
                item = items[number] if len(items) == len(names) else place
                if not has_fields(name):
                    self.mentions.setdefault(CategoryKey(name), []).append(item)
                elif name in filing:
                    check_paths(name, item, self._findings)
                else:
                    what = f"{quoted(name)} has no effect on kind {kind}, which has no items with fields"
                    self._findings.warn(item, f"{what}: its entries go to general; write a name")
        known = self._groups.get(names)
        if known is None:
            plain = dict.fromkeys(CategoryKey(name) for name in names if not has_fields(name))
            known = self._groups[names] = tuple(plain)
        if kind is Kind.OPML and not values.says(SourceKeys.category):
            return (), filing  # the groups of the OPML list are the categories
        if not known and not filing:
            return (GENERAL,), filing
        return known, filing

    def _headers(self, values: Values, address: Address | None) -> tuple[tuple[tuple[str, Secret], ...], str | None]:
        """Return the headers without Accept, and the value of Accept, which replaces the default Accept (P77)."""
        headers: dict[str, tuple[str, Secret]] = {}
        accept = None
        for pair in values[SourceKeys.headers]:
            name, value = pair.name, pair.value
            if name.lower() in headers or (name.lower() == "accept" and accept is not None):
                self._findings.problem_at(pair.key, f"{quoted(name)} is here twice; remove one of the two")
            if name.lower() == "accept":
                accept = value.text
                continue
            headers.setdefault(name.lower(), (name, Secret(value.text)))
            if _SECRET_HEADER.search(name):
                self._findings.keep_secret(value.text)
                if value.is_literal:
                    self._findings.warn(pair.node, f"the value of {name} is written out; {_USE_VARIABLE}")
        if address is not None and address.auth is not None and "authorization" in headers:
            what = "the URL has a user and password, and headers has an Authorization; remove one of the two"
            self._findings.problem_at(values.place(SourceKeys.headers), what)
        return tuple(headers.values()), accept

    def _was(self, values: Values, key: SourceKey) -> tuple[str, ...]:
        names = values[SourceKeys.was]
        if not names:
            return ()
        place = values.place(SourceKeys.was)
        items = _items(place)
        earlier: list[str] = []
        for number, name in enumerate(names):
            item = items[number] if len(items) == len(names) else place
            try:
                was = self._earlier(name)
            except Unfit as unfit:
                self._findings.problem_at(item, f"{quoted(name)} {unfit}")
                continue
            earlier.append(was)
            self._claims.append((item, was, key))
        return tuple(dict.fromkeys(earlier))

    def _earlier(self, name: str) -> str:
        if re.fullmatch(SOURCE_KEY, name):
            return name
        if ":" in name:
            return web_address(name, name).url
        if "/" in name:
            return file_address(name, self._root).url
        raise Unfit("is neither a URL nor the key of a source; write the earlier address or key")

    def _check_same(self, read: Sequence[tuple[Node, Source]]) -> None:
        """Warn of two sources that are probably the same feed: their addresses differ as in http and https only."""
        first: dict[object, Source] = {}
        for node, source in read:
            if source.path is not None:
                continue
            rest = source.url.partition("://")[2]
            plain = rest.removeprefix("www.").rstrip("/")
            asked = (plain, source.auth, source.headers, source.request, source.paging)
            other = first.setdefault(asked, source)
            if other.url != source.url:
                place = node.values.get("url", node) if isinstance(node, MapNode) else node
                raw = place.raw if isinstance(place, Scalar) else "this address"
                what = f"{quoted(raw)} is probably the same feed as in line {other.line}: the addresses differ only in "
                what += "http or https, www. or a final slash"
                self._findings.warn(place, f"{what}; keep one of the two, with the categories of both")

    def _check_claims(self, sources: Sequence[Source]) -> None:
        """Check that each earlier URL or key in `was` is claimed by one source, and is not that of another source."""
        if not self._claims:
            return
        holders = {str(name): source for source in sources for name in (source.url, source.key)}
        heirs: dict[str, SourceKey] = {}
        for place, was, key in self._claims:
            holder = holders.get(was)
            if holder is not None and holder.key != key:
                what = f"{quoted(was)} is still the source in line {holder.line}; remove it here, or that source"
                self._findings.problem_at(place, what)
            elif heirs.setdefault(was, key) != key:
                what = f'{quoted(was)} is claimed by "{heirs[was]}" already; remove it here or there'
                self._findings.problem_at(place, what)


def derived_key(address: Address, folder: Path) -> SourceKey:
    """Return the key of a source without `key`: its host, and eight hexadecimal digits of a hash of the URL (R52).

    The key of a file depends on its path relative to `folder`, so that the folder may be moved.
    """
    if address.path is None:
        name, identity = host_of(address.url).removeprefix("www."), str(address.url)
    else:
        inside = address.path.is_relative_to(folder)
        name, identity = address.path.stem, str(address.path.relative_to(folder) if inside else address.path)
        identity += address.url.partition("?")[2]  # other arguments make another source of a program
    name = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("._-")[:_MAX_HOST] or "source"
    return SourceKey(f"{name}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}")


def _items(place: Node) -> list[Node]:
    return place.items if isinstance(place, ListNode) else [place]


def _narrowed(usual: tuple[Rule, ...], own: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Return an `include` that takes what both take; an empty one takes everything."""
    if not usual or not own:
        return usual or own
    return (Rule(all_of=(Rule(any_of=usual), Rule(any_of=own))),)


def _first(*values: T | None) -> T:
    return next(value for value in values if value is not None)


def _stripped(values: Values) -> tuple[str, ...]:
    """Return the CSS selectors of elements that are removed from texts."""
    return tuple(
        css
        for step in values[SourceKeys.rewrite]
        if (strip := step[RewriteKeys.strip]) is not None and (css := strip[StripKeys.css]) is not None
    )
