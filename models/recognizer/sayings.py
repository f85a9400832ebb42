"""Numbers, codes, times and addresses: as people write them, and in one of the ways in which they say them.

Letters that are said by name stay capitals in what is said: "A-113" is said as "A one thirteen".
"""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from num2words import num2words

Rng: TypeAlias = np.random.Generator
Said: TypeAlias = tuple[str, str]
"""What is written, and what is said."""

_MONTHS = "January February March April May June July August September October November December"
_STREETS = """River Park Oak Maple Church Station Mill Lake Hill Main High King Queen Victoria Washington Lincoln Cedar
    Elm Walnut Chestnut Willow Bridge Harbor Market Spring Garden Forest Meadow Sunset Highland Franklin Jackson Windsor
    Madison Albert York Canal Factory Foundry Railway Orchard Prospect Pine Birch Juniper Magnolia Sycamore Hawthorne
    Kingfisher Wellington Nelson Baker Abbey Castle Chapel Cherry Dover Essex Fleet Grove Holly Jubilee Kensington Larch
    Milton First Second Third Fifth Ninth"""
_STREET_KINDS = "Road Street Avenue Lane Drive Boulevard Way Court Square Place Terrace Crescent"
_UNITS = {
    "length": "millimeters centimeters meters inches feet kilometers miles",
    "weight": "kilograms grams pounds tons ounces",
    "heat": "degrees degrees_Celsius degrees_Fahrenheit",
    "time": "seconds minutes hours days weeks",
    "other": """newton_meters bar volts amps watts kilowatts hertz revolutions_per_minute liters liters_per_minute
        newtons kilometers_per_hour meters_per_second decibels megabytes gigabytes kilopascals ohms""",
}


def cardinal(number: int, rng: Rng) -> str:
    """Say a whole number, with or without "and": "one hundred and thirteen", "a hundred thirteen"."""
    words: str = num2words(number).replace(",", "").replace("-", " ")
    if rng.random() < 0.5:
        words = words.replace(" and ", " ")
    return words.replace("one hundred", "a hundred", 1) if 100 <= number < 200 and rng.random() < 0.3 else words


def ordinal(number: int) -> str:
    """Say "3rd" as "third"."""
    words: str = num2words(number, to="ordinal").replace("-", " ")
    return words


def year(number: int, rng: Rng) -> str:
    """Say a year: "nineteen ninety nine", "two thousand five", "twenty twenty six"."""
    if 2000 <= number < 2010 or (number >= 2000 and rng.random() < 0.2):
        return cardinal(number, rng)
    words: str = num2words(number, to="year").replace("-", " ")
    return words


def one_by_one(digits: str, rng: Rng) -> str:
    """Say digits one after the other, zero as "zero" or "oh"."""
    zero = _pick(["zero", "oh"], rng)
    return " ".join(zero if digit == "0" else num2words(int(digit)) for digit in digits)


def in_pairs(digits: str, rng: Rng) -> str:
    """Say digits in pairs from the end: "eight fourteen", "twelve oh three", "nine hundred"."""
    pairs = [digits[max(end - 2, 0) : end] for end in range(len(digits), 0, -2)][::-1]
    said = [
        "hundred" if pair == "00" and before and before != "00" and last
        else one_by_one(pair, rng) if pair[0] == "0"
        else cardinal(int(pair), rng)
        for before, pair, last in zip(["", *pairs], pairs, [*[False] * (len(pairs) - 1), True], strict=False)
    ]  # fmt: skip
    return " ".join(said)


def label(digits: str, rng: Rng) -> str:
    """Say digits that name something: as a number, in pairs, or one by one."""
    if digits[0] == "0":
        return one_by_one(digits, rng)
    as_number, paired = {1: (1.0, 0.0), 2: (0.85, 0.0), 3: (0.25, 0.4), 4: (0.15, 0.5)}.get(len(digits), (0.0, 0.25))
    way = rng.random()
    if way < as_number:
        return cardinal(int(digits), rng)
    return in_pairs(digits, rng) if way < as_number + paired else one_by_one(digits, rng)


def spell(word: str, rng: Rng) -> Said:
    """Spell a word by the names of its letters."""
    letters = word.upper()
    return " ".join(letters), _pick([", ", " "], rng).join(letters)


def _pick(choices: list[str], rng: Rng) -> str:
    return choices[int(rng.integers(len(choices)))]


def _digits(number: int, rng: Rng) -> str:
    return "".join(str(digit) for digit in rng.integers(0, 10, number))


def _letters(number: int, rng: Rng) -> str:
    return "".join(_pick(list(string.ascii_uppercase), rng) for _ in range(number))


def _number(rng: Rng, low: str, high: str) -> Said:
    number = int(rng.integers(int(low), int(high) + 1))
    return f"{number:,}", cardinal(number, rng)


def _count(rng: Rng) -> Said:
    """Count things: words below ten, digits above, as people write."""
    number = int(rng.integers(2, 10) if rng.random() < 0.5 else rng.integers(10, _limit(rng)))
    said = cardinal(number, rng)
    return (said if number < 10 else f"{number:,}"), said


def _limit(rng: Rng) -> int:
    return 10 ** int(rng.integers(2, 5))


def _count_words(rng: Rng) -> Said:
    word = num2words(int(rng.integers(2, 13)))
    return word, word


def _large(rng: Rng) -> Said:
    size = int(rng.integers(3))
    if size == 0:
        return _number(rng, "1000", "99999")
    unit = ("million", "billion")[size - 1]
    written, said = _decimal(rng) if rng.random() < 0.5 else _number(rng, "1", "900")
    return f"{written} {unit}", f"{said} {unit}"


def _decimal(rng: Rng) -> Said:
    whole = int(rng.integers(0, 10 ** int(rng.integers(1, 3))))
    digits = _digits(int(rng.integers(1, 3)), rng)[:-1] + str(rng.integers(1, 10))
    if digits == "5" and whole and rng.random() < 0.3:
        return f"{whole}.5", f"{cardinal(whole, rng)} and a half"
    before = "" if whole == 0 and rng.random() < 0.3 else f"{cardinal(whole, rng)} "
    return f"{whole}.{digits}", f"{before}point {one_by_one(digits, rng)}"


def _quantity(rng: Rng, kind: str) -> Said:
    unit = _pick(_UNITS[kind].split(), rng).replace("_", " ")
    decimal = rng.random() < 0.3 and kind != "time"
    limit = 60 if kind == "time" else 20 if rng.random() < 0.4 else 600
    written, said = _decimal(rng) if decimal else _number(rng, "2", str(limit))
    if kind == "heat" and rng.random() < 0.15:
        written, said = f"-{written}", f"minus {said}"
    return f"{written} {unit}", f"{said} {unit}"


def _percent(rng: Rng) -> Said:
    written, said = _decimal(rng) if rng.random() < 0.2 else _number(rng, "1", "100")
    return f"{written}%", f"{said} percent"


def _ordinal(rng: Rng) -> Said:
    number = int(rng.integers(1, 40))
    said = ordinal(number)
    return (said if number < 10 else str(num2words(number, to="ordinal_num"))), said


def _label(rng: Rng) -> Said:
    digits = str(rng.integers(1, _limit(rng)))
    letter = _letters(1, rng) if rng.random() < 0.15 else ""
    return digits + letter, f"{label(digits, rng)} {letter}".strip()


def _code(rng: Rng) -> Said:
    """Name a part: "A-113", "B7", "XR-250"."""
    letters = _letters(int(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1])), rng)
    digits = str(rng.integers(1, _limit(rng)))
    hyphen = "-" if len(digits) > 2 or len(letters) > 1 else ""
    dash = " dash" if hyphen and rng.random() < 0.15 else ""
    return f"{letters}{hyphen}{digits}", f"{' '.join(letters)}{dash} {label(digits, rng)}"


def _some_letters(rng: Rng) -> Said:
    return spell(_letters(int(rng.integers(2, 6)), rng), rng)


def _some_digits(rng: Rng, number: str) -> Said:
    digits = _digits(int(number), rng)
    return digits, in_pairs(digits, rng) if rng.random() < 0.25 and len(digits) == 4 else one_by_one(digits, rng)


def _phone(rng: Rng) -> Said:
    groups = [_digits(size, rng) for size in ((3, 4), (3, 3, 4), (4, 3, 4), (2, 2, 2, 2))[int(rng.integers(4))]]
    return "-".join(groups), ", ".join(one_by_one(group, rng) for group in groups)


def _time(rng: Rng) -> Said:
    hour, minute = int(rng.integers(1, 13)), int(rng.choice([0, 15, 30, 45, 5 * rng.integers(12), rng.integers(60)]))
    name, after = num2words(hour), num2words(hour % 12 + 1)
    if rng.random() < 0.15:
        said = {0: "noon", 15: f"a quarter past {name}", 30: f"half past {name}", 45: f"a quarter to {after}"}
        if minute in said:
            return said[minute], said[minute]
    half, spelled = _pick(["", "", " a.m.", " p.m."], rng), {" a.m.": " A M", " p.m.": " P M"}
    if minute == 0:
        return (f"{hour}{half}", f"{name}{spelled[half]}") if half else (f"{hour} o'clock", f"{name} o'clock")
    past = f"oh {num2words(minute)}" if minute < 10 else num2words(minute).replace("-", " ")
    return f"{hour}:{minute:02d}{half}", f"{name} {past}{spelled.get(half, '')}"


def _date(rng: Rng) -> Said:
    month, day = _pick(_MONTHS.split(), rng), int(rng.integers(1, 29))
    if rng.random() < 0.3:
        return f"the {num2words(day, to='ordinal_num')} of {month}", f"the {ordinal(day)} of {month}"
    said = f"{month}{_pick(['', '', ' the'], rng)} {ordinal(day)}"
    if rng.random() < 0.5:
        return f"{month} {day}", said
    in_year = int(rng.integers(1950, 2035))
    return f"{month} {day}, {in_year}", f"{said}, {year(in_year, rng)}"


def _year(rng: Rng) -> Said:
    number = int(rng.integers(1700, 2040))
    return str(number), year(number, rng)


def _price(rng: Rng) -> Said:
    dollars, cents = int(rng.integers(2, _limit(rng) // 5)), int(rng.integers(10, 100))
    said = cardinal(dollars, rng)
    if rng.random() < 0.4:
        return f"${dollars:,}", f"{said} dollars"
    rest = num2words(cents).replace("-", " ")
    between = _pick([" dollars and ", " dollars ", " "], rng)
    return f"${dollars:,}.{cents}", said + between + rest + (" cents" if "and" in between else "")


def _version(rng: Rng) -> Said:
    major, minor = (int(number) for number in rng.integers(0, 20, 2))
    return f"{major}.{minor}", f"{num2words(major)} point {num2words(minor)}"


def _network(rng: Rng) -> Said:
    numbers = [10, *(int(number) for number in rng.integers(0, 255, 3))]
    return ".".join(map(str, numbers)), " dot ".join(label(str(number), rng) for number in numbers)


def _street(rng: Rng) -> Said:
    street = f"{_pick(_STREETS.split(), rng)} {_pick(_STREET_KINDS.split(), rng)}"
    return street, street


def _address(rng: Rng) -> Said:
    house, unit = str(rng.integers(1, _limit(rng))), str(rng.integers(1, 1000))
    street, _ = _street(rng)
    written, said = f"{house} {street}", f"{label(house, rng)} {street}"
    if rng.random() < 0.4:
        before = _pick(["", ", apartment", ", unit"], rng)
        written, said = f"{written}{before} {unit}", f"{said}{before} {label(unit, rng)}"
    return written, said


SAYINGS: dict[str, Callable[..., Said]] = {
    "number": _number, "count": _count, "count_words": _count_words, "large": _large, "decimal": _decimal,
    "quantity": _quantity, "percent": _percent, "ordinal": _ordinal, "label": _label, "code": _code,
    "letters": _some_letters, "digits": _some_digits, "phone": _phone, "time": _time, "date": _date, "year": _year,
    "price": _price, "version": _version, "network": _network, "street": _street, "address": _address,
}  # fmt: skip
"""What fills a pattern by name: a random generator, then the pattern's words, to what is written and said."""
