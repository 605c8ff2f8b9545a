"""The JSON Schema of the JSON report (draft 2020-12), made from the declared shape."""

from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from analyzer.reports.json_shape import LINES

Schema = dict[str, Any]
_SCALARS: Mapping[Any, str] = {
    str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null",
}  # fmt: skip


def schema(*, closed: bool = False) -> Schema:
    """The schema of one line. `closed`: keys that are not declared are refused."""
    definitions: dict[str, Schema] = {}
    lines = [_schema(line, definitions, closed=closed) for line in LINES]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One line of `trpo-tui analyze --format json`",
        "description": "NaN and the infinities are the strings NaN, Infinity and -Infinity."
        " Keys are only ever added.",
        "anyOf": lines,
        "$defs": dict(sorted(definitions.items())),
    }


def _schema(type_: Any, definitions: dict[str, Schema], *, closed: bool) -> Schema:
    def of(inner: Any) -> Schema:
        return _schema(inner, definitions, closed=closed)

    origin, parts = get_origin(type_), get_args(type_)
    if origin is Annotated:
        return of(parts[0]) | {"description": parts[1]}
    if origin in (Union, UnionType):
        kinds = [of(part) for part in parts]
        if all(kind.keys() == {"type"} for kind in kinds):
            return {"type": [kind["type"] for kind in kinds]}
        return {"anyOf": kinds}
    if origin is Literal:
        return {"enum": list(parts)}
    if origin is Sequence:
        return {"type": "array", "items": of(parts[0])}
    if origin is Mapping:
        return {"type": "object"}
    if is_typeddict(type_):
        name = type_.__name__
        if name not in definitions:
            definitions[name] = {}  # taken, should it hold itself
            hints = get_type_hints(type_, include_extras=True)
            definitions[name] = {
                "type": "object",
                **({"description": type_.__doc__} if _documented(type_) else {}),
                "properties": {key: of(hint) for key, hint in hints.items()},
                "required": list(hints),
                **({"additionalProperties": False} if closed else {}),
            }
        return {"$ref": f"#/$defs/{name}"}
    return {"type": _SCALARS[type_]}


def _documented(type_: Any) -> bool:
    return bool(type_.__doc__) and not type_.__doc__.startswith("dict(")
