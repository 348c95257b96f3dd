"""Words of SQL that checks of names and expressions look for."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


RESERVED = _words(
    """
    all analyse analyze and any array as asc asymmetric both case cast check collate column
    constraint create default deferrable desc describe distinct do else end except false fetch for
    foreign from group having in initially intersect into lambda lateral leading limit not null
    offset on only or order pivot placing primary qualify references returning select show some
    summarize symmetric table then to trailing true union unique unpivot using variadic when where
    window with
    """
)
AGGREGATES = _words(
    """
    any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null
    arg_min arg_min_null argmax argmin array_agg avg bit_and bit_or bit_xor bitstring_agg bool_and
    bool_or corr count count_if countif covar_pop covar_samp entropy favg first fsum geomean
    geometric_mean group_concat histogram histogram_exact kahan_sum kurtosis kurtosis_pop last list
    listagg mad max max_by mean median min min_by mode product quantile quantile_cont quantile_disc
    regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy
    reservoir_quantile sem skewness stddev stddev_pop stddev_samp string_agg sum sumkahan
    sum_no_overflow var_pop var_samp variance weighted_avg wavg
    """
)
CLOCK = _words(
    """
    now today current_date current_time current_timestamp current_localtime current_localtimestamp
    localtime localtimestamp get_current_time get_current_timestamp transaction_timestamp
    statement_timestamp clock_timestamp age_now sysdate getdate
    """
)
CHANCE = _words(
    """
    random rand setseed uuid gen_random_uuid uuidv4 uuidv7 reservoir_quantile nextval currval
    """
)
WINDOW = _words(
    """
    lag lead row_number rank dense_rank percent_rank cume_dist ntile nth_value first_value
    last_value
    """
)
ANY_ORDER = _words(
    """
    first last any_value arbitrary
    """
)
OUTSIDE = (
    "read_",
    "scan_",
    "query",
    "getenv",
    "getvariable",
    "current_setting",
    "glob",
    "parquet_",
    "sniff_",
)
