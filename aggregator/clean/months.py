"""Names of months, in the languages of I40."""

import unicodedata
from functools import lru_cache

# English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Russian; short and long, with genitives.
_MONTHS = (
    "jan january januar jänner jaenner janvier janv ene enero gen gennaio janeiro januari sty styczeń stycznia янв "
    "январь января",
    "feb february februar feber février fév févr febrero febbraio fev fevereiro februari lut luty lutego фев "
    "февр февраль февраля",
    "mar march märz maerz mär mrz mars marzo março maart mrt marzec marca мар март марта",
    "apr april avril avr abr abril aprile kwi kwiecień kwietnia апр апрель апреля",
    "may mai mayo mag maggio maio mei maj maja май мая",
    "jun june juni juin junio giu giugno junho cze czerwiec czerwca июн июнь июня",
    "jul july juli juillet juil julio lug luglio julho lip lipiec lipca июл июль июля",
    "aug august août aout ago agosto augustus sie sierpień sierpnia авг август августа",
    "sep sept september septembre septiembre set settembre setembro wrz wrzesień września сен сент сентябрь сентября",
    "oct october okt oktober octobre octubre ott ottobre out outubro paź październik października окт октябрь октября",
    "nov november novembre noviembre novembro lis listopad listopada ноя нояб ноябрь ноября",
    "dec december dez dezember décembre déc dic diciembre dicembre dezembro gru grudzień grudnia дек декабрь декабря",
)


@lru_cache(maxsize=1024)
def month_of(word: str) -> int | None:
    """Give the number of a month by its name, whatever its case and accents; None if it is no month's."""
    return _months().get(_folded(word))


@lru_cache(maxsize=1)
def _months() -> dict[str, int]:
    return {_folded(name): number for number, names in enumerate(_MONTHS, 1) for name in names.split()}


def _folded(word: str) -> str:
    """Write a word without case and accents."""
    letters = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).strip(".")
