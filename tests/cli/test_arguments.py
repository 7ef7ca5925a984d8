"""Values that no option takes."""

import pytest

from cityscapes_coco.cli.program import load_verb
from tests.conftest import Capture


@pytest.mark.parametrize(
    ("verb", "option"),
    [
        *(("convert", option) for option in ("--min-area=-1", "--min-area=few", "--min-area=")),
        *(("convert", option) for option in ("--workers=0", "--outdir=", "--scheduler=")),
        *(("inspect", option) for option in ("--num_examples=-1", "--num_examples=1.5", "--save=")),
        *(
            ("evaluate", option)
            for option in ("--workers=two", "--top=0", "--scores=", "--results=")
        ),
    ],
)
def test_a_wrong_value_is_exit_code_2_and_the_last_line_names_the_option(
    verb: str, option: str, capsys: Capture
) -> None:
    with pytest.raises(SystemExit) as end:
        load_verb(verb)([option])
    assert end.value.code == 2
    out, err = capsys.readouterr()
    name = option.partition("=")[0]
    assert out == "" and f"error: argument {name}: " in err.splitlines()[-1]
