"""The index of the phrases saves time and nothing else: it finds what trying every pattern would find."""

from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.reading import folding, phrases, rulebook
from service.cli import reading as corpus

SENTENCES = [sentence.text for sentence in corpus.load(corpus.CORPUS)]
WORDS = sorted({word for sentence in SENTENCES for word in sentence.split()})
SAID = st.one_of(
    st.sampled_from(SENTENCES),
    st.lists(st.sampled_from(SENTENCES), min_size=2, max_size=3).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join),
)
BOOKS = {
    "all rules": rulebook.rules().book,
    "courtesies": rulebook.rules().courtesies,
    "idioms": rulebook.rules().idioms,
    **rulebook.rules().exceptions,
}


@settings(max_examples=60, deadline=None)
@given(said=SAID)
def test_every_phrase_that_occurs_is_found(said: str) -> None:
    words = folding.fold(said)
    for name, book in BOOKS.items():
        tried = {label for label, pattern in book.patterns() if pattern.search(f" {words}")}
        assert book.labels(words) == tried, name


@settings(max_examples=60, deadline=None)
@given(said=SAID)
def test_asking_for_one_label_says_the_same_of_it_as_asking_for_all(said: str) -> None:
    words = folding.fold(said)
    book = rulebook.rules().book
    labels = book.labels(words)
    for label in {label for label, _ in book.patterns()}:
        assert book.labels(words, label) == labels & {label}


def test_a_word_without_a_free_ending_is_found_whole_and_one_with_it_by_its_beginning() -> None:
    book = phrases.Phrasebook()
    book.add("whole", ["suicide now"], {})
    book.add("begun", ["suicid* later"], {})
    assert book.labels("suicide now") == {"whole"}
    assert book.labels("suicidal later") == {"begun"}
    assert book.labels("suicidal now") == frozenset()
