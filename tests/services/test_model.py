from hypothesis import given
from hypothesis import strategies as st

from services.sentiment_analyzer.model import LONGEST_PIECE, Classifier, pieces_of

EMOJIS = {"\N{GRINNING FACE}": "grinning face", "\N{PILE OF POO}": "pile of poo"}
runs = st.tuples(
    st.sampled_from(["a", "!", " ", "\0", "\n", *EMOJIS]), st.integers(1, 2 * LONGEST_PIECE)
)
texts = st.lists(runs).map(lambda each: "".join(part * count for part, count in each))


@given(texts)
def test_pieces_are_short_and_leave_nothing_out(text: str) -> None:
    pieces = pieces_of(text, EMOJIS)
    assert pieces
    assert max(map(len, pieces)) <= LONGEST_PIECE
    spelt = "".join(EMOJIS.get(each, each) for each in text)
    assert "".join("".join(pieces).split()) in ("".join(spelt.split()), "".join(text.split()))


def test_a_long_text_is_what_its_sentences_are() -> None:
    good, bad = "I love it, it is great. ", "I hate it, it is awful. "
    classify = Classifier().classify
    assert classify(good * 400).label == "positive"
    assert classify(bad * 400).label == "negative"
    assert abs(classify(good * 400 + bad * 400).score) < 0.3
    assert classify("\N{PILE OF POO}" * 10_000).label == classify("\N{PILE OF POO}").label
