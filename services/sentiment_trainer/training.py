"""Training: logistic regression of three labels by stochastic gradient descent (AdaGrad).

The same examples in the same order give the same model: a version can be made again.
"""

import math
import random
from collections import Counter
from collections.abc import Sequence

from services.sentiment_analyzer.learned import LABELS, document_of, features_of, shares
from services.sentiment_analyzer.model import Classifier
from services.sentiment_trainer.dataset import Example

_EPOCHS = 5
_RATE = 0.3
_DECAY = 1e-4
_LEAST_TEXTS = 2
"""In how many texts a word has to be to be learned."""


def train(examples: Sequence[Example], lexicon: Classifier) -> bytes:
    """Return the document of a model."""
    seen = [(features_of(each.text, lexicon), LABELS.index(each.label)) for each in examples]
    counted = Counter(name for features, _ in seen for name in features)
    learned = {name for name, count in counted.items() if count >= _LEAST_TEXTS}
    weights = {name: [0.0, 0.0, 0.0] for name in sorted(learned)}
    moved = {name: [1.0, 1.0, 1.0] for name in learned}
    texts = [
        (
            [(weights[name], moved[name], features[name]) for name in features if name in learned],
            label,
        )
        for features, label in seen
    ]
    order = random.Random(0)  # noqa: S311 -- always the same, on purpose
    for _ in range(_EPOCHS):
        order.shuffle(texts)
        for features, label in texts:
            errors = list(shares((row, value) for row, _, value in features))
            errors[label] -= 1
            for row, steps, value in features:
                for index, error in enumerate(errors):
                    slope = error * value + _DECAY * row[index]
                    steps[index] += slope * slope
                    row[index] -= _RATE * slope / math.sqrt(steps[index])
    return document_of(weights)
