"""The lane of this room: answers that are kept no longer."""

from api import once
from config import queue

LANES = [queue.Lane("api_answers", "bulk", once.drain, once.oldest)]
