"""What `make audit` makes of pip-audit's answers."""

import json

import pytest

from tests.measure.audit import verdict

GOOD = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "c", "skip_reason": "Dependency not found on PyPI and could not be audited: c (3)"}


@pytest.mark.parametrize(
    ("packages", "status", "words"),
    [
        ([GOOD], 0, "1 packages audited"),
        ([GOOD, BAD], 1, "b 2: PYSEC-1, fixed in 2.1"),
        ([GOOD, UNKNOWN], 2, "NOT AUDITED: 1 of 2 packages, of which no advisory came: c"),
        ([UNKNOWN, BAD], 1, "PYSEC-1"),
    ],
)
def test_each_answer_has_its_status(packages, status, words):
    assert verdict(json.dumps({"dependencies": packages}), "")[0] == status
    assert words in verdict(json.dumps({"dependencies": packages}), "")[1]


def test_a_service_out_of_reach_is_not_a_clean_bill():
    assert verdict("", "ERROR: Connection refused\n") == (
        2,
        "NOT AUDITED: the advisory service could not be asked (ERROR: Connection refused)",
    )
