"""How much a page asks of the database: a statement costs half a millisecond and more, and nobody sees one added."""

from typing import Any

from tests.queries import statements

# As counted, with no room above: whoever has to ask more says so here. Two are for news, while Redis is silent.
CASE, LIST, SMALLEST = 48, 18, 7


def asked(browser: Any, address: str) -> list[str]:
    assert browser.get(address).status_code == 200  # what is asked once a process is not the page's
    with statements() as sent:
        assert browser.get(address).status_code == 200
    return [statement for statement in sent if statement != "BEGIN"]


def test_a_case_the_list_and_the_smallest_page_ask_no_more_than_they_did(scene: Any) -> None:
    most = {f"/inbox/{scene.item.id}": CASE, "/inbox": LIST, "/preferences": SMALLEST}
    sent = {address: asked(scene.browser, address) for address in most}
    assert {address: len(said) for address, said in sent.items()} == most
