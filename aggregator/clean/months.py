"""Names of months in the languages of I40 and in others."""

import unicodedata
from functools import lru_cache

from aggregator.text.xml_chars import normalised

# For each month, the names in English, German, French, Spanish, Italian, Portuguese, Dutch, Polish and Russian; then in
# Czech, Slovak, Swedish, Danish, Norwegian, Finnish, Turkish, Hungarian, Romanian, Catalan, Indonesian; in Greek,
# Ukrainian, Bulgarian and Hebrew; in Arabic (Egypt and the Gulf, Iraq and the Levant, the Maghreb) and Persian.
# Short and long names, with genitives. Croatian is missing: listopad is October there, November in Polish and Czech.
_MONTHS = (
    "jan january januar jänner jaenner janvier janv ene enero gen gennaio janeiro januari sty styczeń stycznia янв "
    "январь января led leden ledna január tammi tammikuu tammikuuta oca ocak ian ianuarie gener ιαν ιανουάριος "
    "ιανουαρίου січ січень січня яну януари ינו ינואר يناير كانونالثاني كانونالثانى جانفي ژانویه",
    "feb february februar feber février fév févr febrero febbraio fev fevereiro februari lut luty lutego фев "
    "февр февраль февраля úno únor února február helmi helmikuu helmikuuta şub şubat febr februarie febrer φεβ "
    "φεβρουάριος φεβρουαρίου лют лютий лютого февруари פבר פברואר فبراير شباط فيفري فوریه",
    "mar march märz maerz mär mrz mars marzo março maart mrt marzec marca мар март марта bře březen března marec "
    "marts maalis maaliskuu maaliskuuta mart márc március martie març maret μαρ μάρτιος μαρτίου бер березень березня "
    "מרץ מרס مارس آذار اذار",
    "apr april avril avr abr abril aprile kwi kwiecień kwietnia апр апрель апреля dub duben dubna apríl huhti huhtikuu "
    "huhtikuuta nis nisan ápr április aprilie απρ απρίλιος απριλίου кві квіт квітень квітня април אפר אפריל أبريل "
    "ابريل إبريل نيسان أفريل آوریل",
    "may mai mayo mag maggio maio mei maj maja май мая kvě květen května mája touko toukokuu toukokuuta mayıs máj "
    "május maig μάι μαΐ μάιος μαΐου тра трав травень травня מאי مايو أيار ايار ماي مه می",
    "jun june juni juin junio giu giugno junho cze czerwiec czerwca июн июнь июня čvn čer červen června jún júna kesä "
    "kesäkuu kesäkuuta haz haziran június iun iunie juny ιουν ιούνιος ιουνίου чер черв червень червня юни יונ יוני "
    "يونيو يونية حزيران جوان ژوئن",
    "jul july juli juillet juil julio lug luglio julho lip lipiec lipca июл июль июля čvc červenec července júl júla "
    "heinä heinäkuu heinäkuuta tem temmuz július iul iulie juliol ιουλ ιούλιος ιουλίου лип липень липня юли יול יולי "
    "يوليو يولية تموز جويلية يوليوز ژوئیه جولای",
    "aug august août aout ago agosto augustus sie sierpień sierpnia авг август августа srp srpen srpna elo elokuu "
    "elokuuta augusti ağu ağustos augusztus agost agustus agt αυγ αύγουστος αυγούστου сер серпень серпня אוג אוגוסט "
    "أغسطس آب أوت غشت اوت آگوست",
    "sep sept september septembre septiembre set settembre setembro wrz wrzesień września сен сент сентябрь сентября "
    "zář září syys syyskuu syyskuuta eyl eylül szept szeptember septembrie setembre σεπ σεπτ σεπτέμβριος σεπτεμβρίου "
    "вер верес вересень вересня септември ספט ספטמבר سبتمبر أيلول ايلول شتنبر سپتامبر",
    "oct october okt oktober octobre octubre ott ottobre out outubro paź październik października окт октябрь октября "
    "říj říjen října október loka lokakuu lokakuuta eki ekim octombrie οκτ οκτώβριος οκτωβρίου жов жовт жовтень жовтня "
    "октомври אוק אוקטובר أكتوبر اكتوبر تشرينالأول تشرينالاول اکتبر",
    "nov november novembre noviembre novembro lis listopad listopada ноя нояб ноябрь ноября listopadu marras marraskuu "
    "marraskuuta kas kasım noi noiembrie νοε νοέμβριος νοεμβρίου лис листопад листопада ноември נוב נובמבר نوفمبر "
    "تشرينالثاني تشرينالثانى نونبر نوامبر",
    "dec december dez dezember décembre déc dic diciembre dicembre dezembro gru grudzień grudnia дек декабрь декабря "
    "pro prosinec prosince joulu joulukuu joulukuuta ara aralık decembrie des desember desembre δεκ δεκέμβριος "
    "δεκεμβρίου гру груд грудень грудня декември דצמ דצמבר ديسمبر كانونالأول كانونالاول دجنبر دسامبر",
)
_IN = "ב"  # Hebrew "in", written together with the name: 4 במרץ


@lru_cache(maxsize=1024)
def month_of(word: str) -> int | None:
    """Return the number of a month by its name in any case and with or without accents; None for any other word."""
    folded = _folded(word)
    return _months().get(folded) or _months().get(folded.removeprefix(_IN))


@lru_cache(maxsize=1)
def _months() -> dict[str, int]:
    return {_folded(name): number for number, names in enumerate(_MONTHS, 1) for name in names.split()}


def _folded(word: str) -> str:
    """Return a word without case and accents."""
    letters = normalised("NFKD", word.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).strip(".").replace("ı", "i")
