"""Find models by what people type. Pure, and quick enough to answer at every key press.

What is typed is looked for in steps, each wider than the one before, until there is enough to show:
whole words, beginnings of words, parts of words, and names that are a few slips away. Each step
reads sorted lists and sets made in advance, and only a few dozen models are looked at one by one;
so the time hardly grows with the catalogue.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import accumulate, chain
from typing import Final, TypeAlias

from bot.catalog._names import MARK, Name, joined, take_apart, words_of
from bot.catalog._spelling import Typed

_MAX_WORDS: Final = 8
"""Words looked at; no id has as many."""

_POOL: Final = 48
"""Models that are ranked one by one; of more that match, the newest are."""
_ENOUGH: Final = 25
"""With as many matches no wider step is taken: Discord shows no more."""
_FEW: Final = 3
"""With fewer matches than this, names that were misspelt are looked for, too."""

_SHELF: Final = 2
"""Letters by which beginnings of words are put together before they are sorted."""

_SHORTEST_PART: Final = 3
_MOST_PARTS: Final = 400
"""Letters of a word that may stand inside of another one, and places where it is looked at."""

_MOST_SHARED: Final = 3_000
"""Entries of `Index._grams` that one question may count, the rarest ones first."""
_ALIKE: Final = 12
"""Names that are compared letter by letter."""
_LONG: Final = 7
"""Letters from which on a slip leaves enough of three neighbours that are right."""
_LETTERS_A_SLIP: Final = 4
_LEAST_ALIKE: Final = 0.6
"""Where nothing else is found, as much of what was typed has to be right."""

_ALIKE_LONG: Final = 4
"""Names whose lengths differ by less may count as equally long; then the newer one is first."""

_SHORTEST_HALF: Final = 3
"""Letters of a word that was typed without the blank before or after it."""

_MANY_TIMES: Final = 8

_LAST: Final = "\U0010ffff"
_NOBODYS: Final[frozenset[int]] = frozenset()

Fits: TypeAlias = Callable[[int], bool]
"""Whether the model at a place may be shown."""


class Index:
    """Searches a fixed list of ids, and gives their places in it; earlier ones are the newer."""

    def __init__(self, ids: Sequence[str]) -> None:
        self._names = [take_apart(model_id) for model_id in ids]
        words: defaultdict[str, list[int]] = defaultdict(list)
        spelt: defaultdict[str, list[int]] = defaultdict(list)
        grams: defaultdict[str, list[int]] = defaultdict(list)
        begins: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        lines: list[str] = []
        self._line_places: list[int] = []
        self._line_starts: list[int] = []
        length = 0
        for place, name in enumerate(self._names):
            for word in name.words | name.vendor:
                words[word].append(place)
            for spelling in name.spellings:
                spelt[spelling].append(place)
            for gram in {gram for each in name.spellings for gram in _two_and_three(each)}:
                grams[gram].append(place)
            for begin in name.begins.split(MARK)[1:]:
                begins[begin[:_SHELF]].append((begin, place))
            for spelling in name.spellings[1:]:  # the second has the first in it
                self._line_places.append(place)
                self._line_starts.append(length)
                lines.append(spelling)
                length += len(spelling) + 1
        self._words = {word: frozenset(places) for word, places in words.items()}
        self._spelt = dict(spelt)
        self._grams = dict(grams)
        # Shelf by shelf, because one long sort would hold the interpreter and so the event loop.
        sorted_begins = [each for shelf in sorted(begins) for each in sorted(begins[shelf])]
        self._begins_sorted = [begin for begin, _ in sorted_begins]
        self._begin_places = [place for _, place in sorted_begins]
        self._text = "\n".join(lines)
        self._slips = _one_letter_less(self._words)

    def search(
        self, text: str, *, most: int, fits: Fits, favoured: Mapping[int, int] | None = None
    ) -> list[int]:
        """Return up to `most` places that match, the best first.

        `favoured` ranks places that come first among those that match equally well.
        """
        favoured = favoured or {}
        typed = words_of(text)
        words, whole = list(dict.fromkeys(typed))[:_MAX_WORDS], joined(typed)
        if not words:
            return []
        enough, room = max(most, _ENOUGH), max(most, _POOL)
        pool: dict[int, None] = {}
        for step in (self._whole, self._by_words, self._by_beginnings, self._by_parts):
            self._fill(pool, step(words, whole), room, fits, favoured)
            if len(pool) >= enough:
                break
        marked = [(word, MARK + word.replace(".", "")) for word in words]
        ranked = []
        for place in pool:
            match, surplus = _rank(self._names[place], marked, whole)
            ranked.append((match, favoured.get(place, len(favoured)), surplus, place))
        found = [item[-1] for item in sorted(ranked)]
        if len(found) < _FEW:
            alike = self.alike(text, strict=bool(found))
            found += [place for place in alike if place not in pool and fits(place)]
        return found[:most]

    def alike(self, text: str, *, strict: bool = False) -> list[int]:
        """Return the places of names that `text` may have meant, the best first.

        `strict`: only those that it probably meant, a slip or two away.
        """
        words = list(dict.fromkeys(words_of(text)))[:_MAX_WORDS]
        typed = Typed(joined(words_of(text)))
        if not typed.letters:
            return []
        found: dict[int, tuple[int, int, int]] = {}
        length = len(typed.letters)
        allowed = max(1, length // _LETTERS_A_SLIP)
        if not strict:
            allowed = max(allowed, int(length * (1 - _LEAST_ALIKE)))
        for place, slips in (*self._mended(words), *self._alike(typed, allowed)):
            surplus = min(abs(len(each) - length) for each in self._names[place].spellings)
            rank = (slips, surplus, place)
            found[place] = min(rank, found.get(place, rank))
        return sorted(found, key=lambda place: found[place])

    # -- steps, each wider than the one before ----------------------------------------------------

    def _whole(self, _: Sequence[str], whole: str) -> Collection[int]:
        return self._spelt.get(whole, ())

    def _by_words(self, words: Sequence[str], _: str) -> Collection[int]:
        return _all(self._words.get(word, _NOBODYS) for word in words)

    def _by_beginnings(self, words: Sequence[str], _: str) -> Collection[int]:
        return self._beginning_with(words)

    def _by_parts(self, words: Sequence[str], _: str) -> Collection[int]:
        """Places of names that have every word anywhere; of very many, the newest."""
        letters = [word.replace(".", "") for word in words]
        counts = {each: self._text.count(each) for each in letters if len(each) >= _SHORTEST_PART}
        if not counts or not all(counts.values()):
            return ()
        rarest = min(counts, key=lambda each: counts[each])
        rest = [each for each in letters if each != rarest]
        return [
            place for place in self._inside(rarest) if all(self._has(place, each) for each in rest)
        ]

    def _beginning_with(self, words: Sequence[str]) -> set[int]:
        """Places of names that have a beginning for each word, which may span several of theirs."""
        ranges = {word: self._range(word) for word in words}
        rarest, *others = sorted(words, key=lambda word: len(ranges[word]))
        found = {self._begin_places[at] for at in ranges[rarest]}
        for word in others:
            if len(ranges[word]) < _MANY_TIMES * len(found):
                found.intersection_update([self._begin_places[at] for at in ranges[word]])
            else:  # to look at each is quicker than to list all that begin so
                letters = MARK + word.replace(".", "")
                found = {place for place in found if letters in self._names[place].begins}
        return found

    def _range(self, word: str) -> range:
        letters = word.replace(".", "")
        first = bisect_left(self._begins_sorted, letters)
        return range(first, bisect_left(self._begins_sorted, letters + _LAST, first))

    def _has(self, place: int, letters: str) -> bool:
        mark = "" if len(letters) >= _SHORTEST_PART else MARK
        return mark + letters in self._names[place].begins

    def _inside(self, letters: str) -> list[int]:
        found: dict[int, None] = {}
        at = self._text.find(letters)
        while at >= 0 and len(found) < _MOST_PARTS:
            line = bisect_right(self._line_starts, at) - 1
            found[self._line_places[line]] = None
            line += 1
            if line == len(self._line_starts):
                break
            at = self._text.find(letters, self._line_starts[line])
        return list(found)

    def _fill(
        self,
        pool: dict[int, None],
        places: Collection[int],
        room: int,
        fits: Fits,
        favoured: Mapping[int, int],
    ) -> None:
        """Put more places into the pool, until it is full: the favoured first, then the newest."""
        if not places:
            return
        for place in (*(place for place in favoured if place in places), *sorted(places)):
            if len(pool) >= room:
                return
            if place not in pool and fits(place):
                pool[place] = None

    # -- slips ------------------------------------------------------------------------------------

    def _mended(self, words: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Give places where every word matches when some of them are mended, and how many are."""
        right = [word for word in words if self._range(word)]
        if len(right) == len(words):
            return
        mended = [
            self._with_one_slip(word) | self._in_two(word) for word in words if word not in right
        ]
        found = self._beginning_with(right) if right else set(mended.pop())
        found.intersection_update(*mended)
        for place in sorted(found)[:_POOL]:
            yield place, len(words) - len(right)

    def _with_one_slip(self, word: str) -> frozenset[int]:
        """Places of names with a word that is one slip away from `word`."""
        near = {near for less in _shorter(word) for near in self._slips.get(less, ())}
        typed = Typed(word)
        return _NOBODYS.union(
            *(
                self._words[other]
                for other in near
                if abs(len(other) - len(word)) <= 1 and typed.slips_within(other) <= 1
            )
        )

    def _in_two(self, word: str) -> frozenset[int]:
        """Places of names with two words that were typed as one, though not neighbours there."""
        halves = range(_SHORTEST_HALF, len(word) - _SHORTEST_HALF + 1)
        return _NOBODYS.union(
            *(
                self._beginning_with((word[:at], word[at:]))
                for at in halves
                if word[:at] in self._words
            )
        )

    def _alike(self, typed: Typed, allowed: int) -> Iterator[tuple[int, int]]:
        """Give names with at most as many slips as `allowed`, of those that share most letters."""
        length = len(typed.letters)
        size = 3 if length >= _LONG else 2
        grams = _grams(typed.letters, size)
        lists = sorted((self._grams.get(gram, ()) for gram in grams), key=len)
        sums = accumulate(map(len, lists))
        counted = sum(total <= _MOST_SHARED for total in sums)
        shared = Counter(chain.from_iterable(lists[:counted]))
        near = sorted(
            (abs(len(self._names[place].spellings[0]) - length) - 4 * common, place, common)
            for place, common in shared.most_common(_POOL)
        )
        fewest = allowed
        for _, place, common in near[:_ALIKE]:
            # A slip spoils this many neighbourhoods at most, and both ends may be inside a name.
            if (counted - common - 2) / (size + 1) > fewest + 1:
                continue
            slips = min(
                typed.slips_within(spelling)
                for spelling in _worth_comparing(self._names[place].spellings, length)
            )
            fewest = min(fewest, slips)
            if slips <= allowed:
                yield place, slips


def _all(matches: Iterable[frozenset[int]]) -> frozenset[int]:
    """Return what is in every one of the sets, the smallest first."""
    return reduce(frozenset.__and__, sorted(matches, key=len))


def _rank(
    name: Name, words: Sequence[tuple[str, str]], whole: str
) -> tuple[tuple[bool, int, bool], int]:
    """Say how well a name matches, the least is the best, and what tells like from like.

    `words` are pairs of a word and how it begins in `Name.marked`.
    """
    # Plain loops: this runs for dozens of names at every key press.
    cost = 0
    for word, marked in words:
        if word in name.words:
            cost += len(word) == 1 and word.isalpha()  # a letter is rather the beginning of a word
        elif name.marked.find(marked, name.own) >= 0 or word in name.vendor:
            cost += 1
        else:
            cost += 2 if marked in name.marked else 3
    short, full, *nicknames = name.spellings
    begins, length = full.startswith(whole), len(short)
    if short.startswith(whole):
        begins = True
    elif nicknames:
        lengths = [len(each) for each in nicknames if each.startswith(whole)]
        begins, length = begins or bool(lengths), min(lengths, default=length)
    return (whole not in name.spellings, cost, not begins), length // _ALIKE_LONG


def _grams(letters: str, size: int) -> set[str]:
    """Neighbouring letters, with the first and last marked: alike names share most of them."""
    marked = f" {letters} "
    return {marked[at : at + size] for at in range(len(marked) - size + 1)}


def _two_and_three(letters: str) -> set[str]:
    return _grams(letters, 2) | _grams(letters, 3)


def _shorter(word: str) -> set[str]:
    """The word, and all that it leaves with one letter less."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def _one_letter_less(words: Iterable[str]) -> dict[str, list[str]]:
    """Words by what they leave with one letter less: two that are a slip apart share such a rest.

    (W. Garbe's Symmetric Delete spelling correction.)
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    for word in words:
        for less in _shorter(word):
            found[less].append(word)
    return dict(found)


def _worth_comparing(spellings: Sequence[str], length: int) -> Iterable[str]:
    """The name without its vendor where that is long enough, else with it; and nicknames."""
    short, full, *nicknames = spellings
    return (full if length > len(short) + 1 else short, *nicknames)
