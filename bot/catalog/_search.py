"""Find models by what people type. Pure, and quick enough to answer at every key press.

What is typed is looked for in steps, each wider than the one before, until there is enough to show:
whole words, beginnings of words, parts of words, and names that are a few slips away. Each step
reads sorted lists and sets made in advance, and only a few dozen models are looked at one by one;
so the time hardly grows with the catalogue. What was found is remembered for a while: beginnings of
names are typed again and again, by one person and by all others.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache, reduce
from itertools import accumulate, chain
from typing import Final, NamedTuple, TypeAlias

from bot.catalog._names import MARK, joined, take_apart, words_of
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

_REMEMBERED: Final = 1_000
"""Questions whose answers are remembered: about half a megabyte."""

_LAST: Final = "\U0010ffff"
_NOBODYS: Final[frozenset[int]] = frozenset()

Fits: TypeAlias = Callable[[int], bool]
"""Whether the model at a place may be shown."""


class _Matches(NamedTuple):
    """The places that one step finds."""

    has: Callable[[int], bool]
    newest_first: Iterable[int]
    """The same places; some are found only while they are taken."""


class Index:
    """Searches a fixed list of ids, and gives their places in it; earlier ones are the newer."""

    def __init__(self, ids: Sequence[str]) -> None:
        self._names = [take_apart(model_id) for model_id in ids]
        self._lengths = [tuple(map(len, name.spellings)) for name in self._names]
        self._spellings = [_with_nicknames_apart(name.spellings) for name in self._names]
        own: defaultdict[str, list[int]] = defaultdict(list)
        vendors: defaultdict[str, list[int]] = defaultdict(list)
        spelt: defaultdict[str, list[int]] = defaultdict(list)
        grams: defaultdict[str, list[int]] = defaultdict(list)
        begins: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        lines: list[str] = []
        self._line_places: list[int] = []
        self._line_starts: list[int] = []
        length = 0
        for place, name in enumerate(self._names):
            for word in name.words:
                own[word].append(place)
            for word in name.vendor:
                vendors[word].append(place)
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
        self._own = {word: frozenset(places) for word, places in own.items()}
        self._vendors = {word: frozenset(places) for word, places in vendors.items()}
        self._words = {
            word: self._own.get(word, _NOBODYS) | self._vendors.get(word, _NOBODYS)
            for word in own.keys() | vendors.keys()
        }
        self._spelt = dict(spelt)
        self._grams = dict(grams)
        # Shelf by shelf, because one long sort would hold the interpreter and so the event loop.
        sorted_begins = [each for shelf in sorted(begins) for each in sorted(begins[shelf])]
        self._begins_sorted = [begin for begin, _ in sorted_begins]
        self._begin_places = [place for _, place in sorted_begins]
        self._text = "\n".join(lines)
        self._slips = _one_letter_less(self._words)
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._search_among)

    def search(
        self,
        text: str,
        *,
        most: int,
        fits: Fits | frozenset[int],
        favoured: Iterable[int] = (),
    ) -> Sequence[int]:
        """Return up to `most` places that match, the best first.

        `fits` may be the places themselves: then the answer is remembered. `favoured` are places
        that come first among those that match equally well, in their order.
        """
        typed = tuple(words_of(text))
        # The others can't make a difference, so whoever likes only those shares what was found.
        favoured = tuple(place for place in favoured if self._may_match(place, typed))
        if isinstance(fits, frozenset):
            return self._remembered(typed, most, fits, favoured)
        return self._search(typed, most, fits, favoured)

    def _search_among(
        self, typed: tuple[str, ...], most: int, fitting: frozenset[int], favoured: tuple[int, ...]
    ) -> Sequence[int]:
        return self._search(typed, most, fitting.__contains__, favoured)

    def _search(
        self, typed: Sequence[str], most: int, fits: Fits, favoured: Sequence[int]
    ) -> Sequence[int]:
        words, whole = list(dict.fromkeys(typed))[:_MAX_WORDS], joined(typed)
        if not words:
            return ()
        enough, room = max(most, _ENOUGH), max(most, _POOL)
        pool: dict[int, None] = {}
        for step in (self._whole, self._by_words, self._by_beginnings, self._by_parts):
            _fill(pool, step(words, whole), room, fits, favoured)
            if len(pool) >= enough:
                break
        found = self._ranked(pool, words, whole, favoured)
        if len(found) < _FEW:
            alike = self._meant(words, whole, strict=bool(found))
            found += [place for place in alike if place not in pool and fits(place)]
        return tuple(found[:most])

    def alike(self, text: str) -> list[int]:
        """Return the places of names that `text` may have meant, the best first."""
        typed = words_of(text)
        return self._meant(list(dict.fromkeys(typed))[:_MAX_WORDS], joined(typed), strict=False)

    def _meant(self, words: Sequence[str], whole: str, *, strict: bool) -> list[int]:
        """Return places of names that may be meant; `strict`: only those a slip or two away."""
        typed = Typed(whole)
        if not typed.letters:
            return []
        found: dict[int, tuple[int, int, int]] = {}
        length = len(typed.letters)
        allowed = max(1, length // _LETTERS_A_SLIP)
        if not strict:
            allowed = max(allowed, int(length * (1 - _LEAST_ALIKE)))
        for place, slips in (*self._mended(words), *self._alike(typed, allowed)):
            surplus = min([abs(each - length) for each in self._lengths[place]])
            rank = (slips, surplus, place)
            found[place] = min(rank, found.get(place, rank))
        return sorted(found, key=lambda place: found[place])

    def _may_match(self, place: int, words: Iterable[str]) -> bool:
        """Whether any of the steps may find that place."""
        name = self._names[place]
        return all(word.replace(".", "") in name.begins or word in name.vendor for word in words)

    # -- steps, each wider than the one before ----------------------------------------------------

    def _whole(self, _: Sequence[str], whole: str) -> _Matches:
        return _newest_first(self._spelt.get(whole, ()))

    def _by_words(self, words: Sequence[str], _: str) -> _Matches:
        return _newest_first(_all(self._words.get(word, _NOBODYS) for word in words))

    def _by_beginnings(self, words: Sequence[str], _: str) -> _Matches:
        return _newest_first(self._beginning_with(words))

    def _by_parts(self, words: Sequence[str], _: str) -> _Matches:
        """Places of names that have every word anywhere, short ones only as beginnings of words.

        Of very many, the newest.
        """
        letters = [word.replace(".", "") for word in words]
        anywhere = {each: self._text.count(each) for each in letters if len(each) >= _SHORTEST_PART}
        if not anywhere or not all(anywhere.values()):
            return _newest_first(())
        beginning = {each: self._range(each) for each in letters if each not in anywhere}
        rarest = min(anywhere, key=lambda each: anywhere[each])
        parts = [each if each in anywhere else MARK + each for each in letters]

        def has(place: int) -> bool:
            begins = self._names[place].begins
            return all(part in begins for part in parts)

        fewest = min(beginning.values(), key=len, default=None)
        if fewest is None or len(fewest) > anywhere[rarest]:
            return _Matches(has, filter(has, self._inside(rarest)))
        return _newest_first({place for at in fewest if has(place := self._begin_places[at])})

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

    def _inside(self, letters: str) -> Iterator[int]:
        """Give places of names that have the letters anywhere, some of them twice."""
        at = self._text.find(letters)
        for _ in range(_MOST_PARTS):
            if at < 0:
                return
            line = bisect_right(self._line_starts, at)
            yield self._line_places[line - 1]
            if line == len(self._line_starts):
                return
            at = self._text.find(letters, self._line_starts[line])

    # -- the order --------------------------------------------------------------------------------

    def _ranked(
        self,
        places: Iterable[int],
        words: Sequence[str],
        whole: str,
        favoured: Sequence[int],
    ) -> list[int]:
        """Put places in order: the best match first, then the favoured, then the shorter names."""
        # A plain loop over few objects: this runs for dozens of names at every key press.
        exact = self._spelt.get(whole, ())
        ranks = {place: rank for rank, place in enumerate(favoured)}
        asked = [
            (
                self._own.get(word, _NOBODYS),
                len(word) == 1 and word.isalpha(),  # a letter is rather the beginning of a word
                self._vendors.get(word, _NOBODYS),
                MARK + word.replace(".", ""),
            )
            for word in words
        ]
        ranked = []
        for place in places:
            cost = 0
            for own, price, vendors, marked in asked:
                if place in own:
                    cost += price
                elif place in vendors:
                    cost += 1
                else:
                    name = self._names[place]
                    at = name.marked.rfind(marked)
                    cost += 3 if at < 0 else 2 if at < name.own else 1
            short, full, nicknames = self._spellings[place]
            begins, length = short.startswith(whole), len(short)
            if not begins:
                begins = full.startswith(whole)
                if nicknames and (fitting := [n for n in nicknames if n.startswith(whole)]):
                    begins, length = True, min(map(len, fitting))
            rank = ranks.get(place, len(ranks))
            match = (place not in exact, cost, not begins, rank, length // _ALIKE_LONG, place)
            ranked.append(match)
        ranked.sort()
        return [match[-1] for match in ranked]

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


def _fill(
    pool: dict[int, None],
    matches: _Matches,
    room: int,
    fits: Fits,
    favoured: Iterable[int],
) -> None:
    """Put more places into the pool, until it is full: the favoured first, then the newest."""
    first = [place for place in favoured if matches.has(place) and fits(place)]
    for place in chain(first, filter(fits, matches.newest_first)):
        if len(pool) >= room:
            return
        pool[place] = None


def _newest_first(places: Collection[int]) -> _Matches:
    return _Matches(places.__contains__, sorted(places))


def _all(matches: Iterable[frozenset[int]]) -> frozenset[int]:
    """Return what is in every one of the sets, the smallest first."""
    return reduce(frozenset.__and__, sorted(matches, key=len))


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


def _with_nicknames_apart(spellings: Sequence[str]) -> tuple[str, str, Sequence[str]]:
    short, full, *nicknames = spellings
    return short, full, nicknames


def _worth_comparing(spellings: Sequence[str], length: int) -> Iterable[str]:
    """The name without its vendor where that is long enough, else with it; and nicknames."""
    short, full, *nicknames = spellings
    return (full if length > len(short) + 1 else short, *nicknames)
