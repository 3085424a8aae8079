"""How many examples Hypothesis makes: two fifths of them in the usual tests, all in `.ci/run`.

A number that a test needs stands for all: the profile `thorough`, which `.ci/run` names, makes Hypothesis's hundred
where a test says nothing, and the usual one forty.
"""

from hypothesis import HealthCheck, settings

ALL = 100


def add_profiles() -> None:
    """Register both profiles, and load the usual one; `--hypothesis-profile thorough` loads the other.

    A busy machine is no fault of the code; where a test bounds time, it counts the processor's. All else stays as it
    is: on a CI machine Hypothesis makes the same examples each time.
    """
    for name, count in (("usual", 40), ("thorough", ALL)):
        patient = settings(settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        settings.register_profile(name, patient, max_examples=count)
    settings.load_profile("usual")


def examples(count: int) -> int:
    """Return the share of a number of examples that the loaded profile makes; to be called when a module is loaded."""
    return count * settings().max_examples // ALL
