"""Runs every flow of the conformance kit, in virtual time."""

from __future__ import annotations

from pathlib import Path

import pytest
from conformance import Case, cases, check, check_refused, wrong_flows


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.id)
def test_flow(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("flow", wrong_flows(), ids=lambda flow: flow.name.removesuffix(".task.xml"))
def test_wrong_flow(flow: Path) -> None:
    check_refused(flow)
