"""The columns in which a prediction comes back as traits."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A column of a table of scores, and what it is as a trait, named `<prediction><suffix>`."""

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
SUFFIXES = {part.suffix: part for part in PARTS}
