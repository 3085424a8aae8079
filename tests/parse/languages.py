"""One short news text in many languages, with the character sets in which each language used to be written."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """A language: its tag, its character sets (name and Python codec), and a text."""

    tag: str
    sets: tuple[tuple[str, str], ...]
    text: str


LANGUAGES = (
    Language(
        "zh-CN",
        (("gb18030", "gb18030"), ("gb2312", "gb2312")),
        "港务局昨天宣布，北码头的旧灯塔将在明年春天重新开放。工程师们花了两年时间修理塔顶的机器，并且更换了"
        "全部电线。当地渔民说，没有灯光的夜晚，他们很难看清礁石的位置。潮水在中午十二点达到最高点，船只可以"
        "在这之前进港。气象台预报周末会有大风，请各位船长注意安全，不要在没有准备的情况下出海。市政府还计划"
        "在灯塔旁边建一座小型博物馆，介绍这个港口一百五十年的历史，门票对学生免费。去年有三万多名游客参观了"
        "这里，其中大约一半来自外地。今年的数字还没有公布，但是旅馆经理们都很乐观。新的渡轮每天往返六次，第"
        "一班早上七点出发，最后一班晚上九点返回。如果遇到大雾，班次可能会取消，请提前打电话询问。",
    ),
    Language(
        "zh-TW",
        (("big5", "big5"),),
        "港務局昨天宣布，北碼頭的舊燈塔將在明年春天重新開放。工程師們花了兩年時間修理塔頂的機器，並且更換了"
        "全部電線。當地漁民說，沒有燈光的夜晚，他們很難看清礁石的位置。潮水在中午十二點達到最高點，船隻可以"
        "在這之前進港。氣象局預報週末會有大風，請各位船長注意安全，不要在沒有準備的情況下出海。市政府還計畫"
        "在燈塔旁邊建一座小型博物館，介紹這個港口一百五十年的歷史，門票對學生免費。去年有三萬多名遊客參觀了"
        "這裡，其中大約一半來自外地。今年的數字還沒有公布，但是旅館經理們都很樂觀。新的渡輪每天往返六次，第"
        "一班早上七點出發，最後一班晚上九點返回。如果遇到大霧，班次可能會取消，請提前打電話詢問。",
    ),
    Language(
        "ja",
        (("shift_jis", "cp932"), ("euc-jp", "euc_jp"), ("iso-2022-jp", "iso2022_jp")),
        "港の管理事務所は昨日、北埠頭の古い灯台を来年の春にふたたび公開すると発表しました。技術者たちは二年"
        "かけて塔の上の機械を修理し、すべての電線を取り替えました。地元の漁師によると、灯りのない夜は岩の場"
        "所がよく見えないそうです。満潮は正午ごろで、それまでに船は港に入れます。気象台は週末に強い風が吹く"
        "と予報しています。準備のないまま海に出ないでください。市は灯台のとなりに小さな博物館を建てる計画で"
        "す。学生は無料で、百五十年の港の歴史を知ることができます。新しいフェリーは一日に六回往復し、始発は"
        "朝七時、最終は夜九時です。霧の日は欠航することがあります。",
    ),
    Language(
        "ko",
        (("euc-kr", "cp949"),),
        "항만 관리소는 어제 북쪽 부두의 오래된 등대를 내년 봄에 다시 연다고 발표했습니다. 기술자들은 이 년 "
        "동안 탑 위의 기계를 고치고 모든 전선을 바꾸었습니다. 지역 어부들은 불빛이 없는 밤에는 바위가 어디 "
        "있는지 보기 어렵다고 말합니다. 만조는 정오이며 그 전에 배가 들어올 수 있습니다. 기상청은 주말에 강"
        "한 바람이 분다고 예보했습니다. 준비 없이 바다에 나가지 마십시오. 시청은 등대 옆에 작은 박물관을 지"
        "어 항구의 역사를 소개할 계획이며 학생은 무료입니다. 새 여객선은 하루에 여섯 번 왕복하고 첫 배는 아"
        "침 일곱 시에 떠납니다. 안개가 끼면 취소될 수 있습니다.",
    ),
    Language(
        "ru",
        (("windows-1251", "cp1251"), ("koi8-r", "koi8_r"), ("iso-8859-5", "iso8859_5"), ("ibm866", "cp866")),
        "Управление порта сообщило вчера, что старый маяк на северном причале снова откроется весной. Инженеры "
        "два года чинили механизм на вершине башни и заменили всю проводку. Местные рыбаки говорят, что в тёмные "
        "ночи без огня трудно увидеть скалы. Полная вода наступает в полдень, до этого времени суда могут войти "
        "в гавань. На выходные синоптики обещают сильный ветер, поэтому капитанам советуют не выходить в море "
        "без подготовки. Рядом с маяком город хочет построить небольшой музей об истории порта; для студентов "
        "вход будет бесплатным. В прошлом году здесь побывало больше тридцати тысяч гостей, и половина из них "
        "приехала издалека.",
    ),
    Language(
        "uk",
        (("windows-1251", "cp1251"), ("koi8-u", "koi8_u")),
        "Управління порту повідомило вчора, що старий маяк на північному причалі знову відкриється навесні. "
        "Інженери два роки ремонтували механізм на вершині вежі й замінили всю проводку. Місцеві рибалки кажуть, "
        "що темної ночі без вогню важко побачити скелі. Повна вода настає опівдні, до цього часу судна можуть "
        "зайти в гавань. На вихідні синоптики обіцяють сильний вітер, тому капітанам радять не виходити в море "
        "без підготовки. Поруч із маяком місто хоче збудувати невеликий музей про історію порту; для студентів "
        "вхід буде безкоштовним. Торік тут побувало понад тридцять тисяч гостей, і половина з них приїхала "
        "здалеку.",
    ),
    Language(
        "bg",
        (("windows-1251", "cp1251"),),
        "Управлението на пристанището съобщи вчера, че старият фар на северния кей ще бъде отворен отново през "
        "пролетта. Инженерите поправяха две години механизма на върха на кулата и смениха всички кабели. Местните "
        "рибари казват, че в тъмните нощи без светлина скалите се виждат трудно. Приливът е най-висок по обяд "
        "и дотогава корабите могат да влязат в залива. За почивните дни се очаква силен вятър, затова капитаните "
        "не бива да излизат в морето неподготвени. До фара градът иска да построи малък музей за историята "
        "на пристанището; за студентите входът ще бъде безплатен.",
    ),
    Language(
        "el",
        (("windows-1253", "cp1253"), ("iso-8859-7", "iso8859_7")),
        "Το λιμεναρχείο ανακοίνωσε χθες ότι ο παλιός φάρος στη βόρεια προβλήτα θα ανοίξει ξανά την άνοιξη. "
        "Οι μηχανικοί επισκεύαζαν δύο χρόνια τον μηχανισμό στην κορυφή του πύργου και άλλαξαν όλα τα καλώδια. "
        "Οι ψαράδες της περιοχής λένε ότι τις σκοτεινές νύχτες χωρίς φως δύσκολα βλέπουν τα βράχια. Η παλίρροια "
        "φτάνει στο ψηλότερο σημείο το μεσημέρι και ως τότε τα πλοία μπορούν να μπουν στο λιμάνι. Για το Σαββατοκύρ"
        "ιακο αναμένεται δυνατός άνεμος. Δίπλα στον φάρο ο δήμος θέλει να χτίσει ένα μικρό μουσείο για την "
        "ιστορία του λιμανιού, με δωρεάν είσοδο για τους φοιτητές.",
    ),
    Language(
        "he",
        (("windows-1255", "cp1255"), ("iso-8859-8", "iso8859_8")),
        "הנהלת הנמל הודיעה אתמול כי המגדלור הישן ברציף הצפוני ייפתח מחדש באביב. המהנדסים תיקנו במשך שנתיים "
        "את המנגנון בראש המגדל והחליפו את כל החוטים. הדייגים המקומיים אומרים שבלילות חשוכים בלי אור קשה לראות "
        "את הסלעים. הגאות מגיעה לשיאה בצהריים ועד אז יכולות האוניות להיכנס לנמל. בסוף השבוע צפויות רוחות חזקות, "
        "ולכן רבי החובלים מתבקשים שלא לצאת לים בלי הכנה. ליד המגדלור רוצה העירייה לבנות מוזיאון קטן על תולדות "
        "הנמל, והכניסה לסטודנטים תהיה חופשית. בשנה שעברה ביקרו כאן יותר משלושים אלף אורחים, וכמחציתם באו מרחוק.",
    ),
    Language(
        "ar",
        (("windows-1256", "cp1256"), ("iso-8859-6", "iso8859_6")),
        "أعلنت إدارة الميناء أمس أن المنارة القديمة على الرصيف الشمالي ستفتح من جديد في الربيع. أصلح المهندسون "
        "خلال سنتين الآلة في أعلى البرج وغيروا كل الأسلاك. يقول الصيادون المحليون إن رؤية الصخور صعبة في الليالي "
        "المظلمة من دون ضوء. يبلغ المد أعلى نقطة عند الظهر ويمكن للسفن أن تدخل الميناء قبل ذلك. من المتوقع "
        "أن تهب رياح قوية في نهاية الأسبوع ولذلك يجب ألا يخرج القباطنة إلى البحر من دون استعداد. وتريد البلدية "
        "أن تبني قرب المنارة متحفا صغيرا عن تاريخ الميناء وسيكون الدخول مجانا للطلاب.",
    ),
    Language(
        "th",
        (("windows-874", "cp874"),),
        "สำนักงานท่าเรือประกาศเมื่อวานนี้ว่าประภาคารเก่าที่ท่าเรือเหนือจะเปิดอีกครั้งในฤดูใบไม้ผลิปีหน้า วิศวกรใช้เ"
        "วลาสองปีซ่อมเครื่องจักรบนยอดหอคอยและเปลี่ยนสายไฟทั้งหมด ชาวประมงในพื้นที่บอกว่าในคืนที่ไม่มีแสงไฟมองเห็นโข"
        "ดหินได้ยาก น้ำขึ้นสูงสุดตอนเที่ยงและเรือสามารถเข้าท่าได้ก่อนเวลานั้น กรมอุตุนิยมวิทยาพยากรณ์ว่าจะมีลมแรงใน"
        "ช่วงสุดสัปดาห์ โปรดอย่าออกทะเลโดยไม่เตรียมตัว",
    ),
    Language(
        "tr",
        (("windows-1254", "cp1254"), ("iso-8859-9", "iso8859_9")),
        "Liman müdürlüğü dün kuzey iskelesindeki eski deniz fenerinin gelecek ilkbaharda yeniden açılacağını "
        "duyurdu. Mühendisler kulenin tepesindeki makineyi iki yıl boyunca onardı ve bütün kabloları değiştirdi. "
        "Yerli balıkçılar ışıksız gecelerde kayaların yerini görmenin güç olduğunu söylüyor. Gelgit öğleyin "
        "en yüksek noktasına ulaşıyor, gemiler o saate kadar limana girebiliyor. Hafta sonu şiddetli rüzgâr "
        "bekleniyor; kaptanların hazırlıksız denize çıkmaması gerekiyor. Belediye fenerin yanına limanın geçmişini "
        "anlatan küçük bir müze kurmak istiyor, öğrenciler için giriş ücretsiz olacak. Geçen yıl buraya otuz "
        "binden fazla konuk geldi ve yarısı uzak şehirlerdendi.",
    ),
    Language(
        "pl",
        (("windows-1250", "cp1250"), ("iso-8859-2", "iso8859_2")),
        "Zarząd portu ogłosił wczoraj, że stara latarnia na północnym nabrzeżu zostanie ponownie otwarta wiosną. "
        "Inżynierowie przez dwa lata naprawiali mechanizm na szczycie wieży i wymienili wszystkie przewody. "
        "Miejscowi rybacy mówią, że w ciemne noce bez światła trudno dostrzec skały. Przypływ osiąga najwyższy "
        "poziom w południe, do tego czasu statki mogą wpłynąć do przystani. Na weekend zapowiadany jest silny "
        "wiatr, więc kapitanowie nie powinni wychodzić w morze bez przygotowania. Obok latarni miasto chce "
        "zbudować małe muzeum o dziejach portu; dla studentów wstęp będzie bezpłatny. W zeszłym roku było tu "
        "ponad trzydzieści tysięcy gości, połowa z nich przyjechała z daleka. Każdy może też wejść na wieżę "
        "i zobaczyć okolicę.",
    ),
    Language(
        "cs",
        (("windows-1250", "cp1250"), ("iso-8859-2", "iso8859_2")),
        "Správa přístavu včera oznámila, že starý maják na severním molu bude na jaře znovu otevřen. Inženýři "
        "dva roky opravovali stroj na vrcholu věže a vyměnili všechna vedení. Místní rybáři říkají, že za tmavých "
        "nocí bez světla je těžké uvidět skály. Příliv dosáhne nejvyššího bodu v poledne, do té doby mohou "
        "lodě vplout do přístavu. Na víkend se očekává silný vítr, proto by kapitáni neměli vyplouvat bez přípravy."
        " Vedle majáku chce město postavit malé muzeum o dějinách přístavu; pro studenty bude vstup zdarma. "
        "Loni sem přijelo více než třicet tisíc hostů a polovina z nich přicestovala z daleka. Každý může také "
        "vystoupit na věž.",
    ),
    Language(
        "hu",
        (("windows-1250", "cp1250"), ("iso-8859-2", "iso8859_2")),
        "A kikötő igazgatósága tegnap bejelentette, hogy az északi rakparton álló régi világítótorony tavasszal "
        "újra megnyílik. A mérnökök két évig javították a torony tetején lévő gépezetet, és az összes vezetéket "
        "kicserélték. A helyi halászok szerint fény nélküli éjszakákon nehéz meglátni a sziklákat. A dagály "
        "délben éri el a legmagasabb pontját, addig a hajók befuthatnak a kikötőbe. A hétvégére erős szelet "
        "jeleznek, ezért a kapitányok ne induljanak el felkészülés nélkül. A torony mellé a város egy kis múzeumot "
        "szeretne építeni a kikötő történetéről; a diákoknak ingyenes lesz a belépés. Tavaly több mint harmincezer "
        "vendég járt itt, és a felük messziről érkezett. Bárki felmehet a toronyba is, és körülnézhet.",
    ),
    Language(
        "lt",
        (("windows-1257", "cp1257"),),
        "Uosto valdyba vakar pranešė, kad senasis švyturys šiaurinėje krantinėje pavasarį vėl bus atvertas. "
        "Inžinieriai dvejus metus taisė mechanizmą bokšto viršūnėje ir pakeitė visus laidus. Vietos žvejai "
        "sako, kad tamsiomis naktimis be šviesos sunku įžiūrėti uolas. Potvynis aukščiausią tašką pasiekia "
        "vidurdienį, iki tol laivai gali įplaukti į uostą. Savaitgalį laukiama stipraus vėjo, todėl kapitonai "
        "neturėtų išplaukti nepasirengę. Šalia švyturio miestas nori pastatyti nedidelį muziejų apie uosto "
        "istoriją; studentams įėjimas bus nemokamas. Pernai čia apsilankė daugiau kaip trisdešimt tūkstančių "
        "svečių, pusė jų atvyko iš toli. Kiekvienas gali užlipti ir į bokštą.",
    ),
    Language(
        "fr",
        (("windows-1252", "cp1252"), ("iso-8859-15", "iso8859_15")),
        "La direction du port a annoncé hier que le vieux phare du quai nord rouvrira ses portes au printemps "
        "prochain. Les ingénieurs ont réparé pendant deux années la mécanique au sommet de la tour et changé "
        "tous les câbles. Les pêcheurs de la région disent que, par les nuits sans lumière, il est très difficile "
        "de repérer les rochers. La marée atteint son plus haut niveau à midi ; jusque-là, les bateaux peuvent "
        "entrer. Un vent très fort est annoncé : que les capitaines préparés seuls prennent la mer. À côté "
        "du phare, la ville espère bâtir un petit musée consacré à l'histoire du port, au cœur du vieux quartier "
        "; l'entrée sera gratuite pour les élèves et les étudiants, et coûtera cinq pièces aux autres. L'été "
        "dernier, des milliers d'étrangers sont passés.",
    ),
    Language(
        "de",
        (("windows-1252", "cp1252"), ("iso-8859-1", "latin_1")),
        "Die Hafenverwaltung teilte gestern mit, daß der alte Leuchtturm am nördlichen Kai im nächsten Frühjahr "
        "wieder öffnet. Zwei Jahre lang haben Techniker das Räderwerk an der Spitze des Turmes überholt und "
        "sämtliche Drähte getauscht. Einheimische Fischer erzählen, daß man in dunklen Nächten ohne Licht die "
        "Klippen kaum sähe. Zur Mittagszeit erreicht die Flut ihren höchsten Stand, bis dahin können Schiffe "
        "einlaufen. Für das Wochenende kündigt der Wetterdienst stürmische Böen an; große Vorsicht wäre nötig. "
        "Neben dem Turm möchte die Stadt ein kleines Museum über die Geschichte der Küste bauen; für Schüler "
        "wäre der Eintritt frei. Im vergangenen Jahr kamen über dreißigtausend Gäste, die Hälfte von weither. "
        "Auch die Brücke über den Fluß wird geöffnet.",
    ),
)
