"""The cache of a simulated model server keeps what vLLM's would."""

from emulator.gateway.kv_cache import BLOCK_TOKENS, KvCache

PROMPT = [f"word-{number}" for number in range(10 * BLOCK_TOKENS)]
MODEL = "qwen3-4b"


def test_a_prompt_is_kept_in_blocks_but_for_its_last_token() -> None:
    cache = KvCache()
    assert cache.look_up(MODEL, PROMPT) == 0
    assert cache.look_up(MODEL, PROMPT) == len(PROMPT) - BLOCK_TOKENS
    assert cache.look_up(MODEL, [*PROMPT, "more"]) == len(PROMPT)
    assert cache.look_up(MODEL, PROMPT[: 3 * BLOCK_TOKENS + 5]) == 3 * BLOCK_TOKENS


def test_what_begins_otherwise_or_is_another_model_s_is_not_found() -> None:
    cache = KvCache()
    cache.look_up(MODEL, PROMPT)
    assert cache.look_up(MODEL, ["other", *PROMPT[1:]]) == 0
    assert cache.look_up("an-adapter", PROMPT) == 0
    changed = [*PROMPT[: 4 * BLOCK_TOKENS], "other", *PROMPT[4 * BLOCK_TOKENS + 1 :]]
    assert cache.look_up(MODEL, changed) == 4 * BLOCK_TOKENS


def test_the_end_of_the_oldest_goes_where_there_is_no_room() -> None:
    cache = KvCache(blocks=10)
    cache.look_up(MODEL, PROMPT)
    cache.look_up(MODEL, [f"other-{number}" for number in range(5 * BLOCK_TOKENS)])
    assert cache.look_up(MODEL, PROMPT) == 5 * BLOCK_TOKENS


def test_what_runs_is_in_use() -> None:
    cache = KvCache(blocks=10)
    needed = cache.needed(7 * BLOCK_TOKENS - 1)
    assert needed == 7
    cache.take(needed)
    assert cache.usage == 0.7
    assert cache.has_room(3)
    assert not cache.has_room(4)
    cache.give(needed)
    assert cache.has_room(cache.needed(1000 * BLOCK_TOKENS))
