"""The sandbox remembers what it allowed, and nothing else (S64)."""

import pytest
from jinja2 import StrictUndefined
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from aggregator.render.sandbox import Sandbox

ATTACKS = (
    "{{ words.append('x') }}",
    "{{ words.clear() }}",
    "{{ names.update(a=1) }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ words.__class__ }}",
    "{{ words['__class__'].mro() }}",
    "{{ text.format_map({}).__init__ }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ '{0.__class__.__mro__}'.format(words) }}",
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_jinja_refuses_is_refused_each_time_and_after_what_it_allows(attack: str) -> None:
    sandbox = Sandbox(undefined=StrictUndefined)
    words = ["a", "b"]
    for _ in range(2):
        kind = sandbox.from_string("{{ words.index('b') }}{{ names.get('a') }}{{ text.upper() }}")
        assert kind.render(words=words, names={}, text="t") == "1NoneT"
        with pytest.raises(SecurityError):
            sandbox.from_string(attack).render(words=words, names={}, text="t")
    assert words == ["a", "b"]


def test_it_judges_as_jinja_does() -> None:
    plain, ours = ImmutableSandboxedEnvironment(), Sandbox()
    things: tuple[object, ...] = (
        [],
        {},
        set(),
        "",
        1,
        str,
        len,
        test_it_judges_as_jinja_does,
        "".upper,
        (n for n in ""),
    )
    for thing in (*things, *things):
        for name in dir(thing):
            value = getattr(thing, name, None)
            allowed = plain.is_safe_attribute(thing, name, value)
            assert ours.is_safe_attribute(thing, name, value) == allowed, f"{type(thing).__name__}.{name}"
