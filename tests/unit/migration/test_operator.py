"""Who acts, as far as anybody vouches for it."""

from switchover.migration.facts.operator import Operator

ANA = Operator("ana", "a", uid=1000, machine="A", account="ana")


def test_no_process_vouches_for_its_own_account() -> None:
    assert Operator.current().uid is None


def test_one_number_on_two_machines_is_two_people_where_the_accounts_names_differ() -> None:
    ben = Operator("ben", "b", uid=1000, machine="B", account="ben")
    assert ANA.is_another_than(ben)
    assert ben.is_another_than(ANA)


def test_one_account_is_one_person_whatever_its_host_its_number_or_its_words_say() -> None:
    for other in (
        Operator("ben", "b", uid=1000, machine="A", account="ben"),
        Operator("ben", "b", uid=1000, machine="B", account="ana"),
        Operator("ben", "b", uid=1001, machine="B", account="ana"),
        Operator("ben", "b", uid=None, machine="B", account="ben"),
    ):
        assert not ANA.is_another_than(other)
        assert not other.is_another_than(ANA)
