"""A run as a pandas DataFrame that keeps every column, and null and NaN apart."""

from typing import TYPE_CHECKING, Any

import numpy as np

from runlog.column import Column
from runlog.schema import BY_NAME, Type

if TYPE_CHECKING:
    import pandas as pd

    from runlog.run import Run


def dataframe_of(run: "Run") -> "pd.DataFrame":
    """The rows shown, with Arrow types: a null is pd.NA, a NaN that was computed stays NaN."""
    import pandas as pd
    import pyarrow as pa

    arrays: dict[str, Any] = {}
    # Our own logs always have every declared column, so that a notebook does not break on just
    # the run that is too sick to fill one.
    declared = {name: spec.type for name, spec in BY_NAME.items()} if not run.source else {}
    for name, type_ in (declared | dict(run.types)).items():
        if type_ == "list<float64>":
            column = run.lists(name)
            values = pa.array(column.values, mask=~column.entry_present)
            joined = pa.LargeListArray.from_arrays(column.offsets, values)
            where = pa.array(column.present)
            arrays[name] = pa.compute.if_else(where, joined, pa.scalar(None, joined.type))
            continue
        scalar = run.column(name)
        kind = pa.type_for_alias("string" if type_ == "string" else "float64")
        array = pa.array(scalar.values, type=kind, mask=~scalar.present, from_pandas=False)
        # Another program's 2.5 or NaN in a counter or a flag stays what it is.
        arrays[name] = array.cast(type_) if _fits(scalar, type_) else array
    return pd.DataFrame(
        {name: pd.arrays.ArrowExtensionArray(array) for name, array in arrays.items()}
    )


def _fits(column: Column, type_: Type) -> bool:
    values = column.values[column.present]
    if type_ == "bool":
        return bool(np.isin(values, (0.0, 1.0)).all())
    return type_ == "int64" and bool(
        (values == np.rint(values)).all() and (abs(values) < 2**63).all()
    )
