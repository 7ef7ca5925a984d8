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
            content.decode()  # msgspec does not look at the texts that it passes over
            return msgspec.json.decode(content, type=kind)
        except msgspec.ValidationError:
            raise
        except (UnicodeDecodeError, msgspec.DecodeError):
            # UTF-16, half characters, which are no text of a COCO file, and NaN and Infinity, which
            # JSON does not have. Python takes them all; a complex number fits into no field.
            loaded = json.loads(content, parse_constant=complex)
            json.dumps(loaded, ensure_ascii=False, default=str).encode()
            return msgspec.convert(loaded, kind)
    except msgspec.ValidationError as error:
        reason = explain(error).replace("no list of", "no").replace("`complex`", "NaN or Infinity")
        raise ValueError(f"not a file of this kind: {reason}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not a JSON file ({error}); get it again") from error
