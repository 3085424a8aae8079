"""Feeds as the web has them, made from a seed: the same number and edition give the same bytes.

RSS 2.0, podcasts, Atom and RDF; English and Chinese; UTF-8, GB18030 and windows-1252; markup, dates, categories, files;
a median of 68 kB, a mean of 97 kB, 700 kB at most, 21 entries on average. Edition K has K new entries at the top, and
as many have left the bottom.

python -m benchmarks.feeds: how the sizes are spread.
"""

import random
import statistics
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from html import escape

WORDS = {
    "en": (
        "harbour bridge council engine letter garden window market river signal version station teacher winter paper "
        "method number island report question village answer picture machine summer record member driver second "
        "measure ticket valley change owner weather reason editor screen module branch server result journey kitchen "
        "open early quiet simple narrow recent common public small later again often seldom perhaps between under "
        "after before around during without begins carries follows shows holds opens builds finds writes sends leaves "
        "keeps the the the a a of of and and to to in in is was for on with at by from that this it as are be or not"
    ).split(),
    "zh": (
        "港口 桥梁 议会 引擎 信件 花园 窗口 集市 河流 信号 版本 车站 教师 冬天 报纸 方法 数字 岛屿 报告 问题 村庄 "
        "回答 图片 机器 夏天 记录 成员 司机 测量 车票 山谷 变化 天气 原因 编辑 屏幕 模块 分支 结果 旅程 厨房 开放 "
        "早期 安静 简单 最近 普通 公共 之后 之前 经常 也许 开始 继续 发现 建设 寄出 "
        "离开 保持 的 的 了 在 在 是 和 与 不 有 我们 他们"
    ).split(),
}
TAGS = {
    "en": ["Harbour", "Local News", "Research & Development", "Weather", "Books"],
    "zh": ["港口", "新闻", "研发", "天气"],
}
AUTHORS = {"en": ["Ada Heron", "José Peña", "The Editors"], "zh": ["王小河", "编辑部"]}
KINDS, SHARES = ("rss", "podcast", "atom", "rdf"), (58, 8, 26, 8)
NAMESPACES = {
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
}


@cache
def sentences(language: str) -> list[str]:
    """Return the sentences of a language; every feed takes its texts from them."""
    chance = random.Random(language)
    pool = []
    for _ in range(600):
        words = chance.choices(WORDS[language], k=chance.randint(7, 22))
        pool.append("".join(words) + "。" if language == "zh" else " ".join(words).capitalize() + ".")
    return pool


class Feed:
    """One feed of the publisher.

    Args:
        number: which one; its kind, language and size follow from it.
        newest: date of its newest entry in edition 0.
    """

    def __init__(self, number: int, newest: datetime) -> None:
        chance = random.Random(number * 7919 + 1)
        self.number, self.newest = number, newest
        (self.kind,) = chance.choices(KINDS, SHARES)
        self.language = "zh" if chance.random() < 0.2 else "en"
        self.charset = "utf-8"
        if self.kind != "atom" and chance.random() < 0.2:
            self.charset = {"zh": "gb18030", "en": "windows-1252"}[self.language]
        (self.window,) = chance.choices([10, 15, 20, 25, 30, 50], [34, 12, 24, 10, 10, 10])
        is_short = self.kind == "rdf" or chance.random() < 0.2
        self.size = chance.randint(250, 700) if is_short else max(1800, int(chance.lognormvariate(8.15, 0.45)))
        self.size = min(self.size, 5500 if self.language == "zh" else 9000)  # three bytes a character in UTF-8
        self.interval = timedelta(minutes=chance.choice([47, 180, 600, 1440, 3000]))
        self.site = f"https://site-{number}.example"
        self.title = escape(f"{chance.choice(sentences(self.language))[:30]} & {number}")
        self._items: dict[int, bytes] = {}

    @property
    def content_type(self) -> str:
        """The header, with the charset."""
        kind = {"atom": "application/atom+xml", "rdf": "application/rdf+xml"}.get(self.kind, "application/rss+xml")
        return f"{kind}; charset={self.charset}"

    def body(self, edition: int) -> bytes:
        """Write an edition, the newest entry first."""
        numbers = range(edition + self.window - 1, edition - 1, -1)
        for number in numbers:
            if number not in self._items:
                self._items[number] = self._item(number).encode(self.charset)
        head, tail = self._frame(self._date(numbers[0]))
        return (
            head.encode(self.charset) + b"".join(self._items[number] for number in numbers) + tail.encode(self.charset)
        )

    def _date(self, number: int) -> datetime:
        late = number - self.window + 1
        return self.newest + (timedelta(minutes=late) if late > 0 else late * self.interval)

    def _html(self, chance: random.Random, length: int) -> str:
        """Return markup of about so many characters, as blogs publish it."""
        said, parts = sentences(self.language), list[str]()
        while sum(map(len, parts)) < length:
            text, number, kind = (
                " ".join(chance.choices(said, k=chance.randint(2, 5))),
                chance.randint(1, 9999),
                chance.random(),
            )
            if kind < 0.62:
                link = (
                    f'<a href="{self.site}/tag/{number}?ref=feed&amp;p=1" rel="nofollow">{chance.choice(said)[:24]}</a>'
                )
                parts.append(f"<p>{text} {link} <strong>{chance.choice(said)[:30]}</strong></p>\n")
            elif kind < 0.74:
                parts.append(
                    f'<figure class="wide"><img src="{self.site}/img/{number}.jpg" alt="{text[:40]}" width="1024" '
                    f'height="683" loading="lazy" srcset="{self.site}/img/{number}-300.jpg 300w, {self.site}/img/'
                    f'{number}-1024.jpg 1024w" sizes="100vw" /><figcaption>{text[:60]}</figcaption></figure>\n'
                )
            elif kind < 0.84:
                rows = "".join(f"<li>{row}</li>\n" for row in chance.choices(said, k=chance.randint(3, 6)))
                parts.append(f"<ul>\n{rows}</ul>\n")
            elif kind < 0.91:
                parts.append(f'<blockquote cite="{self.site}/about"><p>{text}</p></blockquote>\n')
            elif kind < 0.96:
                parts.append(
                    f"<h3 id='h{number}'>{text[:40]}</h3>\n<pre><code>if (a &lt; b) return {number};</code></pre>\n"
                )
            else:
                parts.append(
                    f'<div style="color:red" onclick="f({number})"><script>f()</script><em>{text[:80]}</em></div>\n'
                )
        return "".join(parts)

    def _item(self, number: int) -> str:
        chance = random.Random(self.number * 1_000_003 + number)
        said, when = sentences(self.language), self._date(number)
        title = escape(chance.choice(said)[:70]) + (
            " &amp; &#8211; &lt;b&gt;live&lt;/b&gt;" if chance.random() < 0.15 else ""
        )
        link, author = f"{self.site}/{when:%Y/%m/%d}/{number}/", chance.choice(AUTHORS[self.language])
        tags = chance.sample(TAGS[self.language], chance.randint(1, 3))
        html = self._html(chance, int(self.size * chance.uniform(0.6, 1.5)))
        summary = escape(" ".join(chance.choices(said, k=2)))
        has_file, size = self.kind == "podcast" or chance.random() < 0.05, chance.randint(10_000, 90_000_000)
        if self.kind == "atom":
            terms = "".join(f'<category term="{escape(tag)}"/>\n' for tag in tags)
            file = f'<link rel="enclosure" type="image/jpeg" length="{size}" href="{self.site}/img/{number}.jpg"/>\n'
            return (
                f'<entry>\n<title type="html">{title}</title>\n<link href="{link}"/>\n'
                f"<id>tag:{self.number}:{number}</id>\n"
                f"<published>{when:%Y-%m-%dT%H:%M:%SZ}</published>\n<updated>{when:%Y-%m-%dT%H:%M:%SZ}</updated>\n"
                f"<author><name>{author}</name></author>\n{terms}{file if has_file else ''}"
                f'<summary type="html">{summary}</summary>\n<content type="html">{escape(html)}</content>\n</entry>\n'
            )
        if self.kind == "rdf":
            subjects = "".join(f"<dc:subject>{escape(tag)}</dc:subject>\n" for tag in tags)
            return (
                f'<item rdf:about="{link}">\n<title>{title}</title>\n<link>{link}</link>\n'
                f"<description>{escape(html[:900])}</description>\n<dc:creator>{author}</dc:creator>\n<dc:date>{when.isoformat()}</dc:date>\n"
                f"{subjects}</item>\n"
            )
        terms = "".join(f"<category><![CDATA[{tag}]]></category>\n" for tag in tags)
        file = (
            f'<enclosure url="{self.site}/media/{number}.mp3" length="{size}" type="audio/mpeg" />\n'
            if has_file
            else ""
        )
        podcast = f"<itunes:author>{author}</itunes:author>\n<itunes:duration>{number % 60}:10</itunes:duration>\n"
        return (
            f"<item>\n<title>{title}</title>\n<link>{link}</link>\n<comments>{link}#comments</comments>\n<dc:creator>"
            f"<![CDATA[{author}]]></dc:creator>\n<pubDate>{format_datetime(when)}</pubDate>\n{terms}"
            f'<guid isPermaLink="false">{self.site}/?p={number}</guid>\n'
            f"<description><![CDATA[<p>{summary} [&#8230;]</p>]]></description>\n"
            f"<content:encoded><![CDATA[{html}]]></content:encoded>\n"
            f"{file}{podcast if self.kind == 'podcast' else ''}</item>\n"
        )

    def _frame(self, updated: datetime) -> tuple[str, str]:
        """Return what stands before the entries, and after."""
        declaration = f'<?xml version="1.0" encoding="{self.charset}"?>\n'
        title, site = self.title, self.site
        prefixes = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in NAMESPACES.items())
        if self.kind == "atom":
            root = f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{self.language}">\n<title>{title}</title>\n'
            links = f'<link href="{site}/feed/" rel="self"/>\n<link href="{site}/"/>\n<id>{site}/</id>\n'
            return f"{declaration}{root}{links}<updated>{updated:%Y-%m-%dT%H:%M:%SZ}</updated>\n", "</feed>\n"
        about = f"<title>{title}</title>\n<link>{site}/</link>\n<description>{title}</description>\n"
        if self.kind == "rdf":
            root = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
            return (
                f'{declaration}{root} {prefixes}>\n<channel rdf:about="{site}/">\n{about}</channel>\n',
                "</rdf:RDF>\n",
            )
        dates = f"<lastBuildDate>{format_datetime(updated)}</lastBuildDate>\n<language>{self.language}</language>\n"
        return f'{declaration}<rss version="2.0" {prefixes}>\n<channel>\n{about}{dates}', "</channel>\n</rss>\n"


def main() -> None:
    """Print how sizes and kinds of a thousand feeds are spread."""
    feeds = [Feed(number, datetime(2026, 3, 2, tzinfo=UTC)) for number in range(1000)]
    sizes = sorted(len(feed.body(0)) for feed in feeds)
    spread = f"median {statistics.median(sizes):.0f}, mean {statistics.mean(sizes):.0f}, most {sizes[-1]}"
    print(f"bytes: {spread}; entries {statistics.mean(feed.window for feed in feeds):.1f}")
    print(Counter((feed.kind, feed.language, feed.charset) for feed in feeds))


if __name__ == "__main__":
    main()
