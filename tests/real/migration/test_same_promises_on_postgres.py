"""What the engine promises over a journal in a file, it keeps over one in PostgreSQL: the very same tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.functional.migration.conftest import *  # noqa: F403
from tests.functional.migration.test_crashes import (  # noqa: F401
    test_a_watcher_killed_after_its_record_loses_nothing,
    test_a_watcher_killed_before_the_command_began_means_it_never_ran,
    test_a_watcher_killed_while_the_command_ran_means_unknown_never_again,
    test_an_end_that_nobody_saw_is_found,
    test_killed_again_and_again_at_random_it_still_comes_through,
    test_killed_before_or_after_any_write_nothing_runs_twice_and_no_end_is_lost,
    test_two_that_start_at_once_one_runs_and_the_other_is_refused,
    test_while_an_orphan_runs_it_is_not_run_again,
)
from tests.functional.migration.test_steps import (  # noqa: F401
    test_a_step_gets_its_environment_and_a_closed_standard_input,
    test_a_value_that_was_not_captured_is_asked_for_and_then_frozen,
    test_an_edited_plan_is_flagged_and_the_run_goes_by_the_frozen_one,
    test_each_kind_of_failure_is_told_apart,
    test_read_only_refuses_every_action,
    test_rollback_breaks_into_a_running_step,
    test_secrets_reach_the_command_and_nothing_else,
    test_the_last_matching_line_of_standard_output_is_captured_and_feeds_a_variable,
    test_the_second_operator_is_told_who_drives,
    test_two_plans_for_one_target_do_not_run_at_once,
)
from tests.real.conftest import Postgres
from tests.unit.migration import harness
from tests.unit.migration.rollbacks.test_rollback import (  # noqa: F401
    test_a_named_way_back_compensates_its_phases_and_reports_its_checks,
    test_a_rollback_that_fails_stops_and_goes_on_where_it_stopped,
    test_step_by_step_in_reverse_and_plain_about_what_stays,
)
from tests.unit.migration.test_confirm import (  # noqa: F401
    test_a_cool_down_runs_from_when_all_before_it_was_through_by_the_monotonic_clock,
    test_the_exact_text_runs_it_and_is_on_record_with_what_it_rested_on,
    test_two_people_are_two_people,
)
from tests.unit.migration.test_gates import (  # noqa: F401
    test_a_broken_hold_starts_anew,
    test_a_person_says_go_and_the_gate_is_looked_at_again_then,
    test_abort_stops_a_gate_that_waits,
    test_all_required_ok_opens_the_gate,
    test_anything_but_ok_keeps_it_shut_and_says_why,
    test_no_go_keeps_the_gate_shut,
)

from switchover.settings import JournalAddress


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> str:
    return postgres.create()


@pytest.fixture(autouse=True)
def a_shared_journal(database: str) -> Iterator[None]:
    """Have every engine write to a database, to one journal for each folder."""
    harness.SHARED.append(lambda folder: JournalAddress(database, str(folder)))
    yield
    harness.SHARED.pop()
