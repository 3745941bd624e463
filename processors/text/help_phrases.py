"""The phrases by which `help_calls` knows a call for help, in folded words. Data only.

`kurtar*` is a word with any ending, `a|b` one of two, `{kin}` one of a list in `WORDS`, `..2` up to two words in between,
`!kalan*` a word that must not come next, `#` a number, `$` the end of the sentence. A blank may be missing
("enkazaltındayız"); no phrase goes beyond its sentence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Phrases = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """Somebody is in danger, and what makes a call of it rather than a report."""

    danger: Phrases
    support: tuple[Phrases, ...] = ()
    """A phrase of each stands somewhere in the text."""
    unless: Phrases = ()
    """None of these does."""


# Each phrase of danger has one of these in it: a text without them is not looked at further.
STEMS: Final = (
    "alev", "altinda", "ambulans", "asansor", "basiyor", "batiyor", "batti", "bayildi", "bilinci", "bogazina", "bogul", "catida",
    "catisinda", "catiya", "coktu", "dagda", "daglik", "dayandi", "devrildi", "diyaliz", "dogum", "dogur", "doluyor", "dumandan",
    "dustu", "enkaz", "fenalas", "firtinaya", "gocu", "goturemiyor", "havale", "heyelan", "hilti", "imdaa", "imdat",
    "kanyonda", "kapildi", "kaybediyo", "kendinde", "kendine", "kepce", "krizi", "kurtarin", "mahsur", "mahzur", "makineye", "moloz",
    "nabzi", "nefes", "nobet", "oksijen", "ormanda", "sanci", "serildi", "sikis", "solunum", "sos", "suyu geldi", "cihaza",
    "tepesinde", "tipi", "ulastiramiyor", "ustumuze", "ustundey", "uyanmiyor", "vadide", "ventilator", "vinc", "yangin", "yaniyor",
    "yarali", "yardim", "yaylada", "yetisin", "yetistiremiyor", "yigildi", "yikil", "yikinti", "yukseliyor", "zehirlen",
)  # fmt: skip

WORDS: Final[Mapping[str, str]] = {
    "rubble": "enkaz* gocuk* gocug* yikinti* moloz*",
    "in_rubble": "enkazda enkazdalar enkazinda gocukte gocukteler gocugunde",
    "stuck": "mahsur mahzur",
    "flames": "alev alevler alevlerin alevlere alevlerden yangin yangini yanginin yanginda",
    "kin": "annem* babam* ailem* kardesim* kardeslerim* abim* agabeyim* ablam* esim* kocam* karim oglum* kizim* kizlarim* cocugum* "
           "cocuklarim* bebegim* yegenim* yegenlerim* kuzenim* kuzenlerim* dedem* babaannem* anneannem* ninem* teyzem* amcam* "
           "dayim* halam* yengem* enistem* akrabam* akrabalarim* arkadasim* arkadaslarim* komsum* komsularimiz* hastam hastamiz",
    "frail": "bebek* bebeg* cocuk* cocug* yasli* hasta hastalar hamile* engelli* yarali*",
    "grown": "kisi kisiler insan insanlar aile aileler isci isciler ogrenci ogrenciler vatandas vatandaslar can biri birileri "
             "kadin adam teyze amca sofor",
    "anybody": "{kin} {frail} {grown}",
    "patient": "{kin} {frail} teyze amca adam kadin",
    "home": "evim evimde evimiz* bina binada binamiz* apartman* koy koyumuz* mahallemiz* sitemiz*",
    "needed": "gonderin gonderiniz gonderilsin yollayin cagirin gelsin lazim gerek gerekiyor istiyoruz bekliyoruz bekliyorum "
              "bekliyor bekliyorlar",
    "missing": "yok gelmedi gelmiyor gelemiyor ulasmadi ulasamiyor nerede nerde",
    "rescuer": "ekip ekipler ekibi afad akut jandarma itfaiye asker kurtarma kimse gelen",
    "crane": "vinc kepce hilti",
    "machine": "{crane} jenerator makinesi makinasi bot helikopter dalgic merdiven arac",
    "sound": "ses sesi sesler sesleri sesini seslerini",
    "animal": "kedi kediler kopek kopekler yavru yavrular yavrulari kus kuslar kuzu kuzular koyun koyunlar inek inekler esek",
    "vehicle": "arac araclar aracim aracimiz araba arabam arabamiz",
    # "who were caught", "had we been caught", "is not": speaks of a danger without saying that it is there
    "unreal": "kalan* kalma* kalinca kalir* kalsa* kalacak* kalabil* kalip olan* olsa* olabil* degil* mi mu oldu oldum",
    # not the fire but what is kept against it
    "fire_safety": "merdiven* tupu* tupleri* alarm* kapisi dolabi riski sigorta* sondurme*",
    # of debts, elections and hearts one says that they lie under rubble
    "figurative": "ekonomi* siyas* borc* zam zamlar* faiz* vergi* enflasyon* fatura* dolar* kredi* iktidar* yonetim* secim* mac "
                  "macta lig sampiyon* hayaller* kalbim* ruhum* gonlum* askin askinin",
    "everybody": "hepimiz milletce ulkece memleket turkiye ulke insanlik vicdan* adalet devlet",
    "bare": "imdat imdaat sos help yardim edin edinn ediin gonderin cagirin yetisin kurtarin lutfen acil acilen cok hemen simdi "
            "buraya ne olur nolur allah rizasi askina icin bize bizi bana beni biri birisi birileri ya artik duyan kimse yok mu var mi "
            "sesimizi sesimi",
    # where one is stuck and no worse than late
    "on_the_way": "trafik* trafig* metro* otobus* otogar* havaliman* havalan* ucak* ucag* vapur* feribot* durak* kuyruk* kopru* "
                  "otopark* okul* kampus* ofis* sinav* site sitede siteye uygulama* oyun* banyo* tuvalet* karantina* yurtdisi*",
    # of what one writes to an institution every day
    "everyday": "elektrik* su sular internet* fatura* hat hatlar hattim* paket* kargo* siparis* cop* park* {animal} sinav* odev* "
                "ders* basvuru* atama* kredi* borc* maas* hesab* sifre* uygulama* site* musteri abone* iade* bilet* mac*",
}  # fmt: skip

# -- cries -------------------------------------------------------------------------------------------------------------------

URGENT_CRIES: Final = (
    "imdat|imdaat|sos !ver*",
    "acil|acilen|cok ..1 yardim !canta*|cagir*|cagri*|hatt*|numara*|servis*|ekip*|kiti|buton*|egitim*",
    "yardim ..1 acil|acilen",
)
CRIES: Final = (
    *URGENT_CRIES,
    "kurtarin|yetisin",
    "yardim edin|edinn|ediin|gonderin|cagirin|yollayin",
    "lutfen|nolur ..1 yardim",
    "ne olur ..1 yardim",
    "yardim lutfen|nolur",
)
# A text of these words alone is a call, if there is an urgent cry in it.
BARE: Final = frozenset(WORDS["bare"].split())

# -- what makes a call of a danger ---------------------------------------------------------------------------------------------

_PLEAS: Final = (
    *CRIES,
    "bizi ..1 alin|cikarin|bulun",
    "ne olur|olursunuz ..1 gelin",
    "yardim ..1 {needed}|{missing}",
    "yardim $",
    "yardima ihtiyacimiz|ihtiyaclari|muhtaciz",
    "{rescuer}|{machine} ..2 {needed}|{missing}",
    "acil !durum*|servis*|toplanma|eylem*|cagri|afet",
    "{sound} ..2 geliyor|aliyoruz|duyuyoruz|duyuluyor|var",
    "sesimi|sesimizi|seslerini|sesini duyan|duyun",
    "kurtarilmayi bekl*",
    "yasiyor|yasiyorlar|hayattalar",
    "cikaramiyoruz|cikaramadik|cikarilmadi|cikarilamadi",
    "lutfen ..1 yayalim|yayin|paylasin|paylasalim|duyurun|ulastirin",
    "yayalim|yayin|paylasin|paylasalim|duyurun|ulastirin lutfen",
    "adres|adresi|adresim|adresimiz|konum|konumu|konumumuz",
)
_AT_THE_DOOR: Final = ("no|numara|kat|daire|blok #", "# kat|daire|numara")
_INSIDE: Final = (
    "iceride|icerde|katta|katinda ..2 {anybody} ..1 var|kaldi|kaldilar|{stuck}",
    "{kin} ..2 iceride|icerde",
    "altinda kaldik|kaldim|kaldilar",
)
_HELD_INSIDE: Final = ("{rubble}|altinda|iceride|icerde|sikistik|ustumuze|sesimizi|sesimi|{kin}",)
_NO_WAY_OUT: Final = (
    "cikamiyoruz|cikamiyorum|cikamiyor|cikamiyorlar|kacamiyoruz|inemiyoruz|kurtulamiyoruz",
    "kapilar|kapi|kapiyi acilmiyor|acamiyoruz|acamiyorum",
)
_WHO_CANNOT_WAIT: Final = ("{frail}|{kin}",)
_HIGH_WATER: Final = (
    "sel|selde|selden",
    "su|sular|dere ..2 yukseliyor|yukseldi|basti|basiyor|doldu|doluyor|tasti",
    "su|sular boyumuzu|bogazimiza|belimize",
)
_FORCE: Final = (*_HIGH_WATER, "{flames}|heyelan*|cig|cati*|kayalik*|magara*|asansor*|teleferik*")
_SNOW: Final = ("kar|karda|kardan|tipi|tipide|tipiden|firtina*|donuyoruz|donmak",)
_DISASTER: Final = (
    "sel|selde|heyelan*|tipi|tipide|tipiye|alevler",
    "yangin !{fire_safety}",
    "orman yangini",
)
_AMBULANCE: Final = (
    "ambulans* ..5 {needed}|{missing}",
    "acil|acilen ..2 ambulans",
    "112 ..3 acmiyor|vermiyor|mesgul|ulasamiyoruz|ulasamiyorum|{missing}",
)
_ROADS_CLOSED: Final = ("yol|yollar|yolu|yolumuz ..2 kapali|kapandi",)
_NO_POWER: Final = (
    "elektri* ..3 yok|kesik|kesildi|gitti|gelmedi|gelmiyor|kesilmis",
    "elektrik kesintisi ..2 var|suruyor|devam",
)

# -- dangers -------------------------------------------------------------------------------------------------------------------

_OURS_UNDER_RUBBLE: Final = (
    "{rubble} altindayiz|altindayim|altindayz|altindaym",
    "{rubble} altinda ..2 kaldik|kaldim|kalmisiz|kalmisim|mahsuruz|bekliyoruz|bekliyorum !say",
    "enkazdayiz|enkazdayim|gocukteyiz|gocukteyim",
    "enkazin|gocugun arasindayiz|arasindayim|icindeyiz|icindeyim",
    "{in_rubble} ..1 kaldik|kaldim|mahsuruz|bekliyoruz",
    "enkazdan|gocukten|enkazin|gocugun ..2 cikarin|cikartin|kurtarin",
    "{rubble} altindan ..2 cikarin|cikartin|kurtarin|yaziyorum|yaziyoruz|sesleniyorum|sesleniyoruz",
    "{kin} ..4 {rubble} altinda|altindalar !{unreal}",
    "{kin} ..3 {in_rubble} !{unreal}",
    "{rubble} altinda|altindalar {kin}",
    "{rubble} altinda|icinde ..2 {kin} var",
    "{in_rubble} ..2 {kin} ..2 var",
    "cigin|heyelanin|kar|karin altindayiz|altindayim",
)
_SOMEBODY_UNDER_RUBBLE: Final = (
    "{rubble} altinda|altindalar|altindadir !{unreal}",
    "{rubble} altinda kalanlar|kalan|olanlar|olan ..2 var",
    "{in_rubble} ..2 {anybody}|var|kaldi|kaldilar|hala|halen",
    "{anybody} ..2 {in_rubble}",
    "enkazdalar|gocukteler|enkazdakiler|gocuktekiler",
    "{rubble} altindan|altindaki|altindakiler|altindakilerden|icinden ..4 {sound}|mesaj|telefon|aradi|ariyor",
    "enkazdan|gocukten ..2 {sound}|mesaj|telefon|aradi|ariyor",
    "enkaz|enkazin|gocugun basindayiz|basinda",
)
_CRANE_FOR_RUBBLE: Final = (
    "{rubble} ..4 {machine} ..2 {needed}|{missing}",
    "{machine} ..2 {needed}|{missing} ..3 {rubble}",
)
_CRANE: Final = ("acil|acilen {crane}", "{crane} ..1 {needed}|{missing}")
_VOICES_BELOW: Final = ("altinda|icinde ..2 ses*|var|{anybody}", "{sound} ..1 geliyor|var")
_HOUSE_FELL: Final = (
    "{home} ..2 yikildi|coktu",
    "bina* ..1 ustumuze coktu|yikildi",
    "gocuk oldu|var|meydana",
)
_UNDER_A_WALL: Final = (
    "duvarin|kolonun|betonun|tavanin|binanin|apartmanin|cig|cigin|{rubble} ..1 altinda ..1 kaldik|kaldim|kaldi|kaldilar|sikistik|sikistim",
)
_WE_ARE_STUCK: Final = (
    "{stuck} kaldik|kaldim|kalmisiz|kaliyoruz|durumdayiz|durumdayim|haldeyiz|bekliyoruz|bekliyorum",
    "mahsuruz|mahsurum|mahzuruz",
    "asansorde kaldik|kaldim|kilitli",
)
_OURS_ARE_STUCK: Final = ("{kin} ..4 {stuck} !{unreal}", "{frail} ..1 {stuck} !{unreal}|kaldi|kaldilar")
_SOMEBODY_IS_STUCK: Final = (
    "{anybody} ..4 {stuck} !{unreal}",
    "{stuck} kalan|kalanlar|durumda|olan|olanlar ..3 var",
    "{stuck} kaldi|kaldilar|kalmislar|durumdalar|bekliyorlar",
)
_LOST_IN_THE_WILD: Final = (
    "dagda|daglik|ormanda|yaylada|tipide|kanyonda|vadide ..3 kayboldum|kaybolduk|kayip|kaldik|donuyoruz",
    "tipiye|firtinaya yakalandik|tutulduk",
)
_ON_THE_ROOF: Final = (
    "catida|catisinda ..2 bekliyoruz|bekliyorum|mahsuruz|kaldik|kaldim",
    "catidayiz|catidayim",
    "catiya ..1 ciktik|sigindik|tirmandik",
    "{anybody} ..2 catida|catisinda",
)
_ON_TOP_OF: Final = ("arabanin|aracin|agacin|minibusun|dolabin ustundeyiz|ustundeyim|tepesindeyiz",)
_WATER_RISES: Final = ("su|sular|sel|dere ..3 basiyor|yukseliyor|doluyor|dayandi",)
_LANDSLIDE: Final = ("heyelan*",)
_TAKEN_BY_WATER: Final = (
    "sele|suya|sulara|sularina|dereye|akintiya ..1 kapildi|kapildik|kapildilar",
    "bot|tekne|kayik|sandal ..1 batti|batiyor|devrildi",
    "denizde|suda|sularda|golde|barajda|derede|selde ..3 boguluyor|boguluyorlar|boguluyoruz|boguluyorum",
    "{anybody} ..3 kuyuya|dereye|kanala|denize|suya ..1 dustu",
)
_FIRE: Final = ("yangin !{fire_safety}", "yanginda|yaniyor|alevler")
_IN_THE_FLAMES: Final = (
    "{flames} ..1 arasinda|ortasinda|icinde ..1 kaldik|kaldim|mahsuruz",
    "{flames} arasindayiz|ortasindayiz|icindeyiz",
)
_HOUSE_BURNS: Final = (
    "{home} ..3 yaniyor",
    "{home} ..3 yangin ..1 var|cikti|buyuyor",
    "alevler|yangin ..4 yaklasiyor|yaklasti|sardi|sariyor|dayandi|ulasti|buyuyor|geliyor",
    "dumandan ..2 boguluyoruz|zehirleniyoruz|zehirlendik|cikamiyoruz",
    "dumandan ..1 nefes alamiyoruz|alamiyorum",
)
_GRAVELY_ILL: Final = (
    "{patient} ..3 nefes alamiyor|almiyor|alamiyo|almiyo",
    "{patient} ..1 bogazina ..3 kacti|takildi|tikandi",
    "{patient} ..2 kalp krizi geciriyor|geciriyo",
    "{patient} ..4 kan kaybediyor|kaybediyo",
    "{patient} ..4 nabzi yok|atmiyor|alinmiyor",
    "{patient} ..3 bilinci kapali|kapandi|gitti",
    "{patient} ..3 kendinde degil",
    "{patient} ..3 kendine gelmiyor",
    "{patient} ..2 altinda kaldi|sikisti",
    "{kin}|{frail} ..2 nobet|havale geciriyor|geciriyo",
)
_UNWELL: Final = (
    "{anybody} ..3 fenalasti|bayildi|zehirlendi|dustu|sikisti|uyanmiyor",
    "gazdan|gaz|dumandan|karbonmonoksitten ..5 zehirlendik|zehirlendi|zehirleniyoruz",
    "dogum|dogurmak|sancisi ..1 tuttu|basladi|uzere|yapmak",
    "dogurdu|dogurdum|sancilandi|sancilaniyor",
    "suyu geldi",
    "kalp krizi ..2 geciriyor|gecirdi|geciriyorum",
    "yarali|yaralilar|yaralilarimiz|yaralimiz|sikisan ..2 var",
    "yere yigildi|serildi",
    "yere|merdivenden|balkondan|agactan dustu",
    "nefes alamiyor|alamiyorum|alamiyo|almiyor",
)
_NO_WAY_TO_HOSPITAL: Final = ("hastaneye ..1 goturemiyoruz|yetistiremiyoruz|ulastiramiyoruz",)
_AMBULANCE_CALLED: Final = (
    "ambulans* ..2 gonderin|yollayin|cagirin|bekliyoruz|bekliyorum",
    "acil ..1 ambulans lazim|gelsin|istiyoruz|gerek|gerekiyor",
)
_BREATHING_DEVICE: Final = (
    "solunum|oksijen|diyaliz cihaz*|makine*",
    "ventilator*",
    "cihaza|makineye|oksijene bagli",
)

# -- where the same words say something else -------------------------------------------------------------------------------------

# Anywhere in the text: drills, remembrance, fiction, collections.
OCCASIONS: Final = (
    "tatbikat* !degil*",
    "aniyoruz|aniyorum|anma|andik|anildi|anilacak|rahmetle|yildonum*|unutmadik|unutmayacagiz|unutturma*",
    "yil donum*",
    "film*|dizi|dizisi*|dizide|romani|romanda|sarki*|sahnesi|sahnede|belgesel*|senaryo*|tiyatro*|ruyam*|ruyada|kabus*",
    "bagis|bagislar|bagisi|bagislariniz*|bagista|kampanya*",
)
# In the sentence that speaks of danger: there is none, or it is another thing.
SAID_OTHERWISE: Final = (
    "olsa|olsak|olsaydi*|olursa*|kalsa*|kalsak|kalirsa*|dusunsen*|dusunun|diyelim|farzed*|varsay*|sanki|mesela",
    "allah korusun|esirgesin|muhafaza|gostermesin|gecinden",
    "altinda ..2 kaldiniz|kaldin",
    "altinda kimse yok|kalmadi|yoktu",
    "kalmis gibi*",
    "geciriyor sandi*",
    "diye ..2 kork*|sandi*|saniyor*|dusun*",
    "cok sukur",
    "sag ol|olsun*",
    "sagol*|tesekkur*",
    "{figurative} ..6 {rubble}",
    "{rubble} ..6 {figurative}",
    "{everybody} {rubble}",
    "biraktigi|biraktiginiz ..2 {rubble}",
    "gorunce|duyunca|ogrenince|gulmekten|heyecandan|utanctan|mutluluktan ..4 kalp|bayildi|nefes|ambulans*",
    "{animal} ..3 {stuck}|catida|catisinda|enkaz*|kuyuya|dereye",
    "{vehicle} ..2 {stuck} kaldi|kaldilar|kaliyor",
    "hayvan|yeni ambulans*",
    "ambulans istasyon*|sofor*|kadro*|alim*",
)
# There too, unless the sentence says "still".
OVER: Final = (
    "kurtarildi*|kurtarilmis*|kurtarilan*|kurtarilarak|kurtardi*|kurtuldu*|kurtulan*|kurtulmus*",
    "kurtaran* !yok",
    "cikarildi|cikarildik|cikarildim|cikarildilar|cikarilan*|cikarilarak|cikartildi*|cikardi|cikardilar",
    "tahliye edil*",
    "sonduruldu*|sondurdu*",
    "kontrol altina",
    "vefat*|cansiz*|cenaze*",
    "hayatini|yasamini kaybe*|yitir*",
    "can verdi*|veren*",
    "{rubble} ..3 kaybettik|kaybettim|kaybetti",
    "calisma*|operasyon*|mudahale* ..3 suruyor|devam|basladi|baslatildi|tamamland*|sona",
    "ekip* ..3 sevk|yonlendirildi",
    "bildirildi|aciklandi|belirtildi|ogrenildi|duyuruldu|acikladi|iddia*",
)
# The same, if nobody cries for help anywhere in the text.
LONG_AGO: Final = (
    "yil|yillar|sene|ay|hafta|gun once",
    "gun|saat sonra|boyunca",
    "#|iki|uc|dort|bes|on gun|saat|hafta ..1 {stuck}|{rubble}",
    "gecen|o yil|sene|ay|hafta|gece|gun|zaman",
    "dun|depreminde|1999*|99",
    "17 agustos*",
    "6 subat*",
    "diyen*|diyordu|demisti|kalmisti*",
)
STILL: Final = ("hala|halen",)
_ON_THE_WAY: Final = ("{on_the_way}", "yurt|sehir disi*")
_AS_ALWAYS: Final = (
    "rogar*|kanalizasyon*|lagim*|tesisat*|surekli|tikan*|tikal*",
    "her yagmur*|yagis*|sene|yil|kis|zaman|seferinde",
)
_EVERYDAY: Final = ("{everyday}",)

# -- the rules -------------------------------------------------------------------------------------------------------------------

RULES: Final = (
    # rubble
    Rule(_OURS_UNDER_RUBBLE),
    Rule(_SOMEBODY_UNDER_RUBBLE, ((*_PLEAS, *_AT_THE_DOOR),)),
    Rule(_CRANE_FOR_RUBBLE),
    Rule(_CRANE, (_VOICES_BELOW,)),
    Rule(_UNDER_A_WALL, (_PLEAS,)),
    Rule(_HOUSE_FELL, (_HELD_INSIDE, _PLEAS)),
    Rule(_HOUSE_FELL, (_INSIDE,)),
    # stuck
    Rule(_OURS_ARE_STUCK, unless=_ON_THE_WAY),
    Rule(_OURS_ARE_STUCK, (_FORCE,)),
    Rule(_WE_ARE_STUCK, ((*_FORCE, *_WHO_CANNOT_WAIT, *_PLEAS),), unless=_ON_THE_WAY),
    Rule(_WE_ARE_STUCK, ((*_FORCE, *_SNOW), (*_WHO_CANNOT_WAIT, *_PLEAS))),
    Rule(_SOMEBODY_IS_STUCK, (_PLEAS,), unless=_ON_THE_WAY),
    Rule(_SOMEBODY_IS_STUCK, ((*_FORCE, *_SNOW), _PLEAS)),
    Rule(_LOST_IN_THE_WILD, (_PLEAS,)),
    # water and earth
    Rule((*_ON_THE_ROOF, *_ON_TOP_OF), ((*_HIGH_WATER, *CRIES),)),
    Rule(_WATER_RISES, ((*CRIES, *_ON_TOP_OF),), unless=_AS_ALWAYS),
    Rule((*_WATER_RISES, *_LANDSLIDE), (_NO_WAY_OUT, _PLEAS)),
    Rule(_TAKEN_BY_WATER, (_PLEAS,)),
    # fire
    Rule(_IN_THE_FLAMES),
    Rule(_HOUSE_BURNS, (_PLEAS,)),
    Rule(_FIRE, ((*_INSIDE, *_NO_WAY_OUT),)),
    # illness
    Rule(_GRAVELY_ILL),
    Rule(_UNWELL, (_AMBULANCE,)),
    Rule(_NO_WAY_TO_HOSPITAL, ((*_PLEAS, *_ROADS_CLOSED),)),
    Rule(_AMBULANCE_CALLED),
    Rule(_BREATHING_DEVICE, (_NO_POWER,)),
    # whatever it is
    Rule(CRIES, (_DISASTER,), unless=(*_AS_ALWAYS, *_EVERYDAY)),
    Rule(URGENT_CRIES, (_AT_THE_DOOR,), unless=_EVERYDAY),
)
