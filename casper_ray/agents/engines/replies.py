"""What a model replied, read as the agent's answer; and the form in which it is asked for."""

from __future__ import annotations

import json
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from casper_ray.agents.engines.budget import CaseFailedError

Model = TypeVar("Model", bound=BaseModel)
_KEPT: Final = frozenset(
    {
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "anyOf",
        "enum",
        "const",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "minItems",
        "maxItems",
        "description",
    }
)
"""What guided decoding understands everywhere; patterns, formats and the like are checked afterwards."""
_ENUM_ERRORS: Final = frozenset({"literal_error", "enum"})


def answer_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The model's JSON schema with its references put in, every property required, and nothing but `_KEPT`.

    Money is a number: the text that pydantic takes too needs a pattern, which not every decoder has.
    """
    schema = model.model_json_schema()
    plain: dict[str, Any] = _plain(schema, schema.get("$defs", {}))
    return plain


def _plain(node: Any, defs: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_plain(part, defs) for part in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _plain(defs[node["$ref"].rpartition("/")[2]], defs)
    if "anyOf" in node:
        node = {**node, "anyOf": _without_number_as_text(node["anyOf"])}
        if len(node["anyOf"]) == 1:
            node = {**node["anyOf"][0], **{key: node[key] for key in node.keys() & {"description"}}}
    kept = {
        key: value if key in ("enum", "const", "required") else _plain(value, defs)
        for key, value in node.items()
        if key in _KEPT and key != "properties"
    }
    if "properties" in node:
        kept["properties"] = {name: _plain(part, defs) for name, part in node["properties"].items()}
        kept |= {"required": list(node["properties"]), "additionalProperties": False}
    return kept


def _without_number_as_text(options: list[Any]) -> list[Any]:
    if any(option.get("type") in ("number", "integer") for option in options):
        return [option for option in options if option.get("type") != "string"]
    return options


def read_answer(model: type[Model], text: str | None) -> Model:
    """The answer that a reply's text is.

    Raises: CaseFailedError: prose (no JSON at all), half_json (JSON that does not parse), wrong_enum (a value that is
            none of those there are), invalid_output (another shape, a number out of bounds, a text too long).
    """
    body = _unfenced((text or "").strip())
    if not body.startswith(("{", "[")):
        raise CaseFailedError("prose")
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        raise CaseFailedError("half_json") from None
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        kinds = {problem["type"] for problem in error.errors(include_input=False, include_url=False)}
        raise CaseFailedError("wrong_enum" if kinds <= _ENUM_ERRORS else "invalid_output") from error


def _unfenced(text: str) -> str:
    """Without the fence of a code block, where the whole text is one."""
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        return text[text.index("\n") + 1 : -3].strip()
    return text


def what_is_wrong(failed: CaseFailedError) -> str:
    """For the model, which is asked once more: where its answer does not fit, never what it wrote."""
    if isinstance(failed.__cause__, ValidationError):
        problems = failed.__cause__.errors(include_input=False, include_url=False)[:5]
        said = "; ".join(f"{'.'.join(map(str, p['loc'])) or 'answer'}: {p['msg']}" for p in problems)
    else:
        said = {"prose": "there was no JSON object", "half_json": "the JSON does not parse"}[failed.failure]
    return f"That answer cannot be used: {said}. Answer again, with one JSON object of the form asked for."
