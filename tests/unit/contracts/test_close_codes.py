"""Close codes, and what they tell a client."""

from reportcast.contracts.close_codes import CloseCode

from tests.unit.docs.test_docs import OPERATIONS, section


def test_whether_to_come_back_shows_in_the_number() -> None:
    """As the documentation says of each."""
    lines = section(OPERATIONS, "Close codes").splitlines()
    rows = [line.split("|") for line in lines if line.startswith(("| 1", "| 4"))]
    told = {int(row[1]): row[3].strip() for row in rows}

    unchanged = {code for code in CloseCode if not told[code].startswith(("yes, corrected", "yes, with shorter"))}
    assert {code for code in CloseCode if code.comes_back} == unchanged
