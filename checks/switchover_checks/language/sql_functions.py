"""Functions of SQLite and PostgreSQL that are known to only read, by name and by family.

A function outside of this list may change something: `setval`, `pg_terminate_backend`, `dblink_exec`, one of your own.
Even in a read-only transaction a function can move a sequence, end a session or reach another server.
"""

from __future__ import annotations

__all__ = ["only_reads"]

_FAMILIES = (
    *("array_", "date_", "iso_", "json_", "jsonb_", "make_", "percentile_", "quote_", "range_", "regexp_"),
    *("regr_", "st_", "string_", "to_", "unistr", "col_description", "obj_description", "shobj_description"),
    *("inet_", "pg_get_", "pg_stat_get_", "pg_size_", "pg_current_", "pg_last_", "pg_is_", "pg_partition_", "has_"),
    *("row_", "pg_control_", "pg_relation_", "txid_", "pg_xact_", "pg_wal_lsn_", "pg_walfile_", "jsonpath_"),
)
_NAMES = frozenset(
    str.split(
        """abs acos acosh age any_value array ascii asin asinh atan atan2 atanh avg bit_and bit_count bit_length
        bit_or bit_xor bool_and bool_or btrim cardinality cast cbrt ceil ceiling changes char char_length
        character_length chr clock_timestamp coalesce concat concat_ws convert convert_from convert_to corr cos
        cosh cot count covar_pop covar_samp cume_dist current_database current_date current_query current_schema
        current_schemas current_setting current_time current_timestamp current_user currval date datetime decode
        degrees dense_rank div encode every exp extract factorial first_value floor format format_type gcd
        gen_random_uuid generate_series generate_subscripts get_bit get_byte glob greatest group_concat grouping
        hex host hstore hypot ifnull iif initcap instr isempty isfinite isnull json jsonb julianday justify_days
        justify_hours justify_interval lag last_value lastval lcm lead least left length like likelihood likely
        ln localtime localtimestamp log log10 log2 lower lower_inc lower_inf lpad ltrim max md5 min min_scale
        mod mode nlike normalize now nth_value ntile nullif num_nonnulls num_nulls octet_length overlay
        parse_ident percent_rank pg_blocking_pids pg_client_encoding pg_column_size pg_conf_load_time
        pg_database_size pg_function_is_visible pg_index_column_has_property pg_indexes_size pg_isolation_test
        pg_jit_available pg_my_temp_schema pg_options_to_table pg_postmaster_start_time pg_show_all_settings
        pg_table_is_visible pg_table_size pg_tablespace_location pg_tablespace_size pg_timezone_names
        pg_total_relation_size pg_type_is_visible pg_typeof pi position pow power printf quote radians random
        randomblob rank replace repeat reverse right round rowid rpad rtrim scale session_user setweight sha224
        sha256 sha384 sha512 sign sin sinh soundex split_part sqlite_version sqrt starts_with
        statement_timestamp stddev stddev_pop stddev_samp strftime strpos strftime substr substring sum tan tanh
        time timediff timeofday timezone total total_changes transaction_timestamp translate trim trim_array
        trim_scale trunc typeof unhex unicode unixepoch unlikely unnest upper upper_inc upper_inf
        uuid_generate_v4 user uuidv4 uuidv7 var_pop var_samp variance version width_bucket zeroblob to_regclass
        ts_rank ts_rank_cd plainto_tsquery phraseto_tsquery websearch_to_tsquery tsvector_to_array ts_headline
        numnode querytree masklen netmask network broadcast family abbrev set_masklen text bool int2 int4 int8
        float4 float8 numeric varchar inet uuid timestamptz jsonb regclass oid name bytea pragma_table_info
        pragma_table_list pragma_index_list pragma_index_info pragma_foreign_key_list pragma_foreign_key_check
        pragma_integrity_check pragma_quick_check pragma_database_list pragma_page_count pragma_page_size
        pragma_user_version"""
    )
)


def only_reads(name: str) -> bool:
    """Tell whether the function `name` is known to change nothing. Quoted names come as they are written."""
    return name in _NAMES or name.startswith(_FAMILIES)
