"""The columns in which predictions and attributions come back as traits."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A column of a table by person, and what it is as a trait, named `<prediction or attribution><suffix>`."""

    suffix: str
    column: str
    sql_type: str
    kind: str
    description: str


PARTS = (
    Part("", "score", "DOUBLE", "number", "Probability or expected amount"),
    Part("_percentile", "percentile", "DOUBLE", "number", "Share of scored people below, in percent"),
    Part("_band", "band", "VARCHAR", "text", "Declared band"),
    Part("_low", "low", "DOUBLE", "number", "Lower end of the 80 % interval of an amount"),
    Part("_high", "high", "DOUBLE", "number", "Upper end of the 80 % interval of an amount"),
    Part("_reasons", "reasons", "VARCHAR[]", "list", "Features that move the score most, first the strongest"),
    Part("_version", "version", "VARCHAR", "text", "Id of the model"),
    Part("_as_of", "as_of", "DATE", "date", "Day of the score"),
)
PEOPLE = "__people"
MIX = (
    Part("_top", "top", "VARCHAR", "text", "Channel with the most credit for the person's conversions"),
    Part("_share", "share", "DOUBLE", "number", "Its share of the credit, 0 to 1"),
    Part("_channels", "channels", "VARCHAR[]", "list", "Channels with any credit, first the one with the most"),
    Part("_mix", "mix", "MAP(VARCHAR, DOUBLE)", "map", "Share of the credit by channel, adding up to 1"),
)
