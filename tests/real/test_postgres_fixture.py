import psycopg
from tests.real.conftest import Postgres


def test_each_database_starts_with_what_the_test_puts_there(postgres: Postgres) -> None:
    first, second = postgres.create("CREATE TABLE t (id int)", "INSERT INTO t VALUES (1)"), postgres.create()
    with psycopg.connect(first) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1,)
    with psycopg.connect(second) as connection:
        assert connection.execute("SELECT to_regclass('t')").fetchone() == (None,)
