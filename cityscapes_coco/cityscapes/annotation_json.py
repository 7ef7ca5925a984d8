"""The content of Cityscapes' JSON files, checked against a type."""

import json
from typing import TypeVar

import msgspec

from cityscapes_coco.run.json_errors import explain

T = TypeVar("T")


def decode_annotations(content: bytes, kind: type[T]) -> T:
    """Return the content of a JSON file. Raises ValueError if it is of another kind."""
    try:
        try:
            return msgspec.json.decode(content, type=kind)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            # NaN and Infinity, which JSON does not have, become texts: the error names the field.
            return msgspec.convert(json.loads(content, parse_constant=str), kind)
    except msgspec.ValidationError as error:
        reason = explain(error).replace("no list of", "no")
        if b"NaN" in content or b"Infinity" in content:
            reason = reason.replace("not a text", "not a text, NaN or Infinity")
        raise ValueError(f"not a file of this kind: {reason}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not a JSON file ({error}); get it again") from error
