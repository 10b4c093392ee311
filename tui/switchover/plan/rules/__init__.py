"""What must hold in a plan beyond the types of its values. Each rule is a pure function from draft to complaints."""

from __future__ import annotations

from switchover.plan.complaints import Complaint
from switchover.plan.rules.backup_rules import backup_moments
from switchover.plan.rules.cost_rules import cost_lines
from switchover.plan.rules.draft import Draft, Names, Rule
from switchover.plan.rules.host_rules import hosts, services_on_hosts
from switchover.plan.rules.kind_rules import check_configs, cost_source_keys, metric_keys, notifier_keys, service_keys
from switchover.plan.rules.references import (
    cycles,
    names_in_checks,
    names_in_phases,
    names_in_the_rest,
    unreferenced_checks,
)
from switchover.plan.rules.safety import (
    gates_ask_something,
    irreversible_steps,
    parts_are_named_once,
    steps_are_whole,
    ways_back,
)
from switchover.plan.rules.secrecy import literal_secrets, secret_references
from switchover.plan.rules.service_rules import live_probe, places_of_services, services_are_told_apart
from switchover.plan.rules.texts import late_values, shell_text_in_checks, shell_text_is_literal, template_names
from switchover.plan.rules.useful_rules import useful_commands
from switchover.plan.rules.values import variables
from switchover.plan.rules.window_rules import times

__all__ = ["RULES", "Draft", "Names", "judge"]

RULES: tuple[Rule, ...] = (
    parts_are_named_once,
    steps_are_whole,
    irreversible_steps,
    gates_ask_something,
    ways_back,
    names_in_phases,
    times,
    names_in_checks,
    names_in_the_rest,
    cycles,
    unreferenced_checks,
    check_configs,
    backup_moments,
    service_keys,
    live_probe,
    places_of_services,
    services_are_told_apart,
    metric_keys,
    notifier_keys,
    cost_source_keys,
    useful_commands,
    hosts,
    services_on_hosts,
    cost_lines,
    variables,
    template_names,
    late_values,
    shell_text_is_literal,
    shell_text_in_checks,
    secret_references,
    literal_secrets,
)


def judge(draft: Draft) -> list[Complaint]:
    """Return everything that any rule says, each thing once."""
    return list(dict.fromkeys(complaint for rule in RULES for complaint in rule(draft)))
