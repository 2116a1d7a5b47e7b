"""The KV cache of a simulated server: what is in use, and which prompts begin as earlier ones.

As vLLM's: in blocks of 16 tokens, of which a block is another one where anything before it is, and
the last token of a prompt is always computed. A token is a word here.
https://docs.vllm.ai/en/v0.26.0/design/prefix_caching.html
"""

import itertools
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from typing import Final

BLOCK_TOKENS: Final = 16
BLOCKS: Final = 4096
"""Of a server whose machine is not known."""


class KvCache:
    """Blocks of one server."""

    def __init__(self, blocks: int = BLOCKS) -> None:
        self.blocks = blocks
        self._used = 0
        self._kept: OrderedDict[Hashable, None] = OrderedDict()

    @property
    def usage(self) -> float:
        """What is in use, from 0 to 1."""
        return self._used / self.blocks

    def needed(self, tokens: int) -> int:
        """Return the blocks of so many tokens, at most all."""
        return min(-(-tokens // BLOCK_TOKENS), self.blocks)

    def has_room(self, needed: int) -> bool:
        """Return whether a request finds so many blocks that no other one uses."""
        return self._used + needed <= self.blocks

    def take(self, needed: int) -> None:
        """Use so many blocks."""
        self._used += needed

    def give(self, needed: int) -> None:
        """Use so many blocks no more."""
        self._used -= needed

    def look_up(self, model: str, prompt: Sequence[str]) -> int:
        """Return how many of a prompt's tokens are kept from earlier ones, and keep it: in the
        place of those that were not asked for the longest, ends of prompts before what they
        begin with."""
        blocks = list(self._hashes(model, prompt))
        last = (len(prompt) - 1) // BLOCK_TOKENS
        kept = itertools.takewhile(self._kept.__contains__, blocks[:last])
        found = sum(1 for _ in kept)
        for block in reversed(blocks):
            self._kept[block] = None
            self._kept.move_to_end(block)
        while len(self._kept) > self.blocks:
            self._kept.popitem(last=False)
        return found * BLOCK_TOKENS

    def _hashes(self, model: str, prompt: Sequence[str]) -> Iterator[Hashable]:
        block: Hashable = model
        for end in range(BLOCK_TOKENS, len(prompt) + 1, BLOCK_TOKENS)[: self.blocks]:
            block = hash((block, *prompt[end - BLOCK_TOKENS : end]))
            yield block
