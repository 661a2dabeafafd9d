"""A network that goes away, and beside that, as it takes its time, another browser."""

import json
import os
import subprocess

import pytest

from tests.helpers import firefox
from tests.helpers.firefox import Firefox
from tests.helpers.namespaces import alone, missing
from tests.helpers.trashnet import ROOT
from tests.helpers.video import ANNOTATED

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def outages(tmp_path_factory):
    """`python -m tests.measure.network outages`, running beside this module's other test; None where it cannot."""
    if missing():
        yield None
        return
    command = alone("tests.measure.network", "outages")
    with (tmp_path_factory.mktemp("outages") / "log.txt").open("wb") as log:
        environ = {**os.environ, "ALONE_IN_NAME_SPACES": "1"}
        running = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=log, text=True)
        yield running
        running.kill()  # if a test has failed meanwhile; its name spaces end with it
        running.wait()


@pytest.mark.skipif(firefox.PROGRAM is None, reason="no firefox-esr; run tests/helpers/install_system.sh")
def test_firefox_gets_annotated_video(server, tmp_path):
    with Firefox(tmp_path) as browser:
        browser.goto(server.url)
        assert "Firefox" in browser.evaluate("() => navigator.userAgent")
        assert not browser.evaluate(ANNOTATED)
        browser.wait_for(ANNOTATED, 60)
        browser.wait_for("() => / [1-9]\\d* fps/.test(document.querySelector('.wb-figures').textContent)")
        assert browser.evaluate("() => document.querySelector('.wb-title').textContent")


def test_video_comes_back_after_outages_and_the_other_visitors_goes_on(outages):
    if outages is None:
        pytest.skip(missing())
    printed, _ = outages.communicate(timeout=240)
    assert outages.returncode == 0, printed
    short, long = json.loads(printed.splitlines()[-1])
    assert (short["seconds"], long["seconds"]) == (5, 60)
    for found in (short, long):
        assert found["shown_meanwhile"] <= 10, found  # it was an outage: of five a second, what was under way
        assert found["others_per_s"] >= 2, found
    assert short["back_s"] <= 10, short  # five on a machine without other work
    assert long["back_s"] <= 20, long
