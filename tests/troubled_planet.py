"""A month of a planet whose sources are in every state, as `status` and its page show them."""

from datetime import timedelta

from aggregator.app import App
from aggregator.model.job import Gathered, SourceJob
from aggregator.model.poll import Failed, NotModified
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

DAYS = 30
SECRET = "a1b2c3d4e5f60718293a"
YAML = f"""site: {{title: Troubled, base_url: "https://planet.example/"}}
publish: {{formats: [atom, html]}}
categories: {{harbour: {{title: Harbour}}, valley: {{title: The Valley}}, hidden: {{unlisted: true}}}}
sources:
  - {{key: daily, url: "https://daily.example/", category: harbour, title: Daily Harbour}}
  - {{key: busy, url: "https://busy.example/", category: [valley, harbour]}}
  - {{key: silent, url: "https://silent.example/", category: harbour}}
  - {{key: refused, url: "https://refused.example/", category: valley}}
  - {{key: broken, url: "https://broken.example/", category: harbour, title: Broken since three days}}
  - {{key: gone, url: "https://gone.example/", category: valley}}
  - {{key: paused, url: "https://paused.example/", category: valley, paused: true}}
  - {{key: never, url: "https://never.example/", category: valley}}
  - {{key: mended, url: "https://mended.example/", category: valley}}
  - {{key: secret, url: "https://secret.example/?token={SECRET}", category: valley, private: true}}
  - {{key: hidden, url: "https://hidden.example/", category: hidden}}
"""


def live_a_month(site: SampleSite) -> None:
    """Poll each source of the planet daily for a month, and publish at the end."""
    site.writes(YAML)
    site.clock.move(days=-230)
    with site.opened() as app:
        fake = FakeSource(app)
        fake.says("silent", *(said(f"silent-{n}", published=site.clock() - timedelta(days=n)) for n in range(5)))
    site.clock.move(days=200)
    with site.opened() as app:
        fake = FakeSource(app)
        for day in range(DAYS):
            site.clock.move(days=1)
            _live_a_day(app, fake, day)
        app.publisher.publish()


def _live_a_day(app: App, fake: FakeSource, day: int) -> None:
    now = app.clock()
    dated = now - timedelta(hours=5)  # the entries' own date, which is not that of their arrival
    daily = (said(f"daily-{n}", published=dated - timedelta(days=day - n)) for n in range(day + 1))
    busy = (said(f"busy-{day}-{n}", published=dated - timedelta(minutes=n)) for n in range(day % 8 + 1))
    polls = [
        fake.brings("daily", *daily),
        fake.brings("busy", *busy),
        fake.brings("hidden", said(f"hidden-{day}")),
        Gathered(fake.claim("silent"), NotModified(asked_at=now)),
        _failed(fake, "secret", "forbidden", 403),
    ]
    if day < DAYS - 3:
        polls += [fake.brings("broken", said(f"broken-{day}", published=dated))]
        polls += [fake.brings("refused", said("refused-1"))]  # without a date
    else:
        polls += [_failed(fake, "broken", "http", 503), _failed(fake, "refused", "dns", None)]
    if day % 9 == 4:
        polls.append(_failed(fake, "mended", "timeout", None))
    else:
        polls.append(fake.brings("mended", said(f"mended-{day // 3}", published=dated - timedelta(days=day % 3))))
    if day > 1:
        polls.append(_failed(fake, "gone", "gone", 410))
    fake.settles(*polls)


def _failed(fake: FakeSource, key: str, code: str, status: int | None) -> Gathered[SourceJob]:
    job = fake.claim(key)
    answer = Failed(asked_at=fake.app.clock(), code=code, text=f"it failed at {job.url}", status=status)
    return Gathered(job, answer)
