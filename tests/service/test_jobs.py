"""Jobs of a service that fail and recover (R7, R25)."""

import pytest
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, JobExecutionEvent

from aggregator.errors import StoreError
from aggregator.service.jobs import JobWatch
from tests.sample_site import START


def ended(job: str, error: Exception | None = None) -> JobExecutionEvent:
    code = EVENT_JOB_EXECUTED if error is None else EVENT_JOB_ERROR
    return JobExecutionEvent(code, job, "default", START, exception=error)


def test_r7_what_hinders_a_job_is_said_once_without_a_traceback_and_its_end_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    given_up: list[str] = []
    watch = JobWatch(given_up.append)
    full = StoreError("the disk is full")
    for event in (ended("keep"), *[ended("search", full)] * 9, ended("keep", full), ended("search"), ended("search")):
        watch.see(event)
    said = [(record.msg, vars(record)["job"], record.exc_info) for record in caplog.records]
    assert said == [("hinder_job", "search", None), ("hinder_job", "keep", None), ("resume_job", "search", None)]
    watch.see(ended("search", full))
    assert (caplog.records[-1].msg, given_up) == ("hinder_job", [])


def test_r25_faults_of_ours_are_said_each_time_and_three_at_once_end_the_service(
    caplog: pytest.LogCaptureFixture,
) -> None:
    given_up: list[str] = []
    watch = JobWatch(given_up.append)
    for _ in range(2):
        watch.see(ended("keep", ZeroDivisionError()))
    assert given_up == []
    watch.see(ended("search", ZeroDivisionError()))
    assert [record.msg for record in caplog.records] == ["crash_job"] * 3
    assert all(record.exc_info for record in caplog.records)
    assert given_up == ["3 jobs ended by a fault of ours within a minute"]
