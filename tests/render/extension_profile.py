"""Checks elements of other namespaces by our own reading of Media RSS 1.5.1, Apple's podcast guide and GeoRSS.

Checkers of feeds, the W3C feed validator among them, hold Atom and RSS against it alike.
"""

import re

from lxml import etree

from tests.render.values import MEDIA_TYPE

MEDIA = "{http://search.yahoo.com/mrss/}"
ITUNES = "{http://www.itunes.com/dtds/podcast-1.0.dtd}"
PODCAST = "{https://podcastindex.org/namespace/1.0}"
GEORSS = "{http://www.georss.org/georss}"
WFW = "{http://wellformedweb.org/CommentAPI/}"
OTHERS = (MEDIA, ITUNES, PODCAST, GEORSS, WFW)  # whose elements our extensions write

COUNT = re.compile("[1-9][0-9]*")
WEB = re.compile(r"https?://[!-~]+")
HOSTED = re.compile(r"https?://([a-z0-9-]+\.)+[a-z0-9-]+(:[0-9]+)?/.*", re.IGNORECASE)
POINT = re.compile(r"-?[0-9]+(\.[0-9]+)? -?[0-9]+(\.[0-9]+)?")
ROLES = frozenset(  # of the EBU's list, in single words
    "actor animator announcer artist author choreographer composer conductor consultant correspondent dancer director "
    "editor expert illustrator interviewer librettist lyricist musician participant performer photographer producer "
    "reporter singer translation witness".split()
)

ATTRIBUTES = {  # each with what it must be; url and href are needed where they are named
    f"{MEDIA}thumbnail": {"url": WEB, "width": COUNT, "height": COUNT},
    f"{MEDIA}content": {"url": WEB, "type": MEDIA_TYPE, "fileSize": COUNT, "duration": re.compile("[0-9]+")},
    f"{MEDIA}player": {"url": WEB},
    f"{MEDIA}credit": {"role": re.compile("[^A-Z]+"), "scheme": WEB},
    f"{MEDIA}title": {},
    f"{ITUNES}image": {"href": HOSTED},
    f"{PODCAST}transcript": {
        "url": WEB,
        "type": MEDIA_TYPE,
        "language": re.compile(".+"),
        "rel": re.compile("captions"),
    },
    f"{PODCAST}chapters": {"url": WEB, "type": MEDIA_TYPE},
}
TEXTS = {
    f"{ITUNES}season": COUNT,
    f"{ITUNES}episode": COUNT,
    f"{ITUNES}episodeType": re.compile("full|trailer|bonus"),
    f"{ITUNES}explicit": re.compile("true|false"),
    f"{ITUNES}duration": re.compile("[0-9]+"),
    f"{PODCAST}season": re.compile("[0-9]+"),
    f"{PODCAST}episode": re.compile(r"[0-9]+(\.[0-9]+)?"),
    f"{GEORSS}point": POINT,
    f"{WFW}commentRss": WEB,
}
ONCE = {*TEXTS, f"{ITUNES}image", f"{MEDIA}player"} - {f"{GEORSS}point"}


def faults_of_extensions(entry: etree._Element) -> list[str]:
    """Name everything that is wrong with what stands in an entry or an item from other namespaces."""
    faults = []
    tags = [str(child.tag) for child in entry]
    faults += [f"{tag} twice" for tag in ONCE if tags.count(tag) > 1]
    for child in entry.iter():
        tag = str(child.tag)
        if not tag.startswith(OTHERS):
            continue
        if tag not in ATTRIBUTES and tag not in TEXTS:
            faults.append(f"unknown element {tag}")
        if tag in TEXTS and not TEXTS[tag].fullmatch(child.text or ""):
            faults.append(f"{tag}: {child.text}")
        rules = ATTRIBUTES.get(tag, {})
        for name, value in ((str(n), str(v)) for n, v in child.attrib.items()):
            if name not in rules or not rules[name].fullmatch(value):
                faults.append(f"{tag}: {name}={value!r}")
        faults += [f"{tag} without {name}" for name in ("url", "href") if name in rules and name not in child.attrib]
        if (
            tag == f"{MEDIA}credit"
            and (role := child.get("role"))
            and (role not in ROLES) != ("scheme" in child.attrib)
        ):
            faults.append(f"role {role} is not of the scheme {child.get('scheme', 'urn:ebu')}")
    return faults
