"""What is wrong with JSON, in plain words."""

import re

import msgspec

# msgspec's names of types, in plain words.
_PLAIN = {
    "int": "an integer",
    "float": "a number",
    "int | float": "a number",
    "int | str": "an integer or a text",
    "str | int": "an integer or a text",
    "int | null": "an integer",
    "int | bool": "an integer or a boolean",
    "bool | int": "an integer or a boolean",
    "str": "a text",
    "bool": "a boolean",
    "null": "null",
    "array": "a list",
    "object": "an object",
    "str | array": "a text or a list",
    "object | array": "polygons or run lengths",
}


def name_odd_numbers(reason: str, content: bytes) -> str:
    """Return what is wrong with JSON in which NaN and Infinity, which some tools write, have become
    texts."""
    has_some = b"NaN" in content or b"Infinity" in content
    return reason.replace("not a text", "not a text, NaN or Infinity") if has_some else reason


def explain(error: msgspec.ValidationError, root: str = "") -> str:
    """Return what is wrong with a record of another tool: "annotations[3].bbox should be ...".

    msgspec says "Expected `int`, got `str` - at `$.annotations[3].id`". `root` stands for the `$`.
    """
    message, _, path = str(error).partition(" - at `$")
    for name, plain in _PLAIN.items():
        message = message.replace(f"`{name}`", plain)
    message = re.sub(r"^Expected ", "should be ", message).replace(", got ", ", not ")
    where = f"{root}{path.rstrip('`')}".removeprefix(".")
    missing = r"has no \1" if where else r"no list of \1 in it"
    message = re.sub(r"^Object missing required field `(\w+)`", missing, message)
    return f"{where} {message}".strip()
