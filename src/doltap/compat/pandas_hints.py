"""What pandas has dropped since old programs were written, and how to write it today.

Programs are not changed here: the hint stands below the error that pandas gives.
"""

from __future__ import annotations

import re

__all__ = ["hint"]

_COLUMNS = "give it columns of numbers only: numeric_only=True, or table.select_dtypes('number')"

# An attribute that tables, columns or the module had -> what to write.
_ATTRIBUTES: dict[str, str] = {
    "Float64Index": "pd.Index",
    "Int64Index": "pd.Index",
    "Panel": "a table with two indices: pd.concat({name: table, ...})",
    "append": "pd.concat([table, other], ignore_index=True), with pd.DataFrame([row]) for a row",
    "applymap": "table.map(function)",
    "as_blocks": "table.dtypes",
    "as_matrix": "table.to_numpy()",
    "convert_objects": "table.apply(pd.to_numeric)",
    "datetime": "from datetime import datetime",
    "get_dtype_counts": "table.dtypes.value_counts()",
    "get_value": "table.at[row, column]",
    "iteritems": "table.items()",
    "ix": "table.loc[row, column] by names, or table.iloc[row, column] by numbers",
    "lookup": "table.to_numpy()[rows, columns], with numbers for both",
    "mad": "(x - x.mean()).abs().mean()",
    "np": "import numpy as np",
    "rolling_mean": "table.rolling(window).mean()",
    "set_value": "table.at[row, column] = value",
    "sort": "table.sort_values(by='column')",
    "swapaxes": "table.T",
    "tshift": "table.shift(freq=...)",
    "weekofyear": "column.dt.isocalendar().week",
}

# How the message of an error begins or goes on -> what to write.
_MESSAGES: dict[str, str] = {
    r"read_\w+\(\) got an unexpected keyword argument 'squeeze'": "read_csv(...).squeeze('columns')",
    r"read_\w+\(\) got an unexpected keyword argument '(error|warn)_bad_lines'": "on_bad_lines='skip'",
    r"read_\w+\(\) got an unexpected keyword argument 'delim_whitespace'": r"sep=r'\s+'",
    r"read_\w+\(\) got an unexpected keyword argument 'date_parser'": "date_format=, or pd.to_datetime",
    r"\w+\(\) got an unexpected keyword argument 'infer_datetime_format'": "leave it out",
    r"fillna\(\) got an unexpected keyword argument 'method'": "table.ffill() or table.bfill()",
    r"\w+\(\) got an unexpected keyword argument 'line_terminator'": "lineterminator=",
    r"(DataFrame|Series)\.\w+\(\) takes from \d+ to \d+ positional": "name it: table.drop('column', axis=1)",
    r"Cannot perform reduction '\w+' with string dtype": _COLUMNS,
    r"dtype 'str' does not support operation": _COLUMNS,
    r"Invalid value '.*' for dtype": "change the column's type first: table['a'] = table['a'].astype(object)",
}


def hint(error: BaseException) -> str | None:
    """What to write instead, for an error of pandas over what it has dropped; None for other errors.

    >>> hint(TypeError("read_csv() got an unexpected keyword argument 'squeeze'"))
    "doltap: pandas has dropped this. Today: read_csv(...).squeeze('columns')."
    """
    if isinstance(error, AttributeError):
        asked = getattr(error, "obj", None)
        home = getattr(asked, "__name__", None) or type(asked).__module__
        today = _ATTRIBUTES.get(error.name or "") if home.partition(".")[0] == "pandas" else None
    else:
        is_known = isinstance(error, (TypeError, ValueError))
        said = str(error) if is_known else ""
        today = next((each for text, each in _MESSAGES.items() if re.search(text, said)), None)
    return f"doltap: pandas has dropped this. Today: {today}." if today else None
