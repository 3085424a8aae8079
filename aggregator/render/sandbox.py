"""The sandbox in which an operator's templates run (S64): Jinja's own, which remembers what it has judged."""

import re
from functools import cached_property

from jinja2.sandbox import ImmutableSandboxedEnvironment


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox. It judges by an object's type and an attribute's name, so once for each and not for each story.

    That was a quarter of what a page of 50 stories costs.
    """

    @cached_property
    def _allowed(self) -> set[tuple[type, str]]:
        return set()

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        """Return whether a template may see an attribute, as Jinja judges.

        Args:
            obj: what has the attribute.
            attr: its name.
            value: what it is; plays no part in Jinja's judgement.
        """
        kind = (type(obj), attr)
        if kind in self._allowed:
            return True
        if not super().is_safe_attribute(obj, attr, value):
            return False
        self._allowed.add(kind)  # as many as there are attributes, whatever names a template makes up
        return True


def said_of(error: BaseException, page: str) -> str:
    """Return why a template can't be filled in, as a message for operators.

    Args:
        error: what rendering it raised.
        page: the one of docs/ that lists the names which templates of this kind see.
    """
    said = re.sub(r"'aggregator[\w.]*\.(\w+) object'", lambda found: found[1].lower(), str(error))
    if said.endswith("is undefined") or "has no attribute" in said:
        return f"{said}; docs/{page} says which names there are"
    if "has no element" in said:
        return f"{said}; a list may be empty: write {{% if … %}} around it"
    return said or type(error).__name__
