"""Calls for help are marked, and what only uses the same words is not. Every text here is invented."""

from collections.abc import Callable, Iterator

import pytest

from processors.text import help_phrases, turkish
from processors.text.help_calls import calls_for_help
from processors.text.tokens import fold

CALLS = [
    # rubble: ourselves
    "enkaz altındayız",
    "ENKAZ ALTINDAYIZ YARDIM EDİN",
    "enkaz altindayiz lutfen yardim edin",
    "enkazaltındayız sesimizi duyan yok mu",
    "Enkazın altında kaldık, Gül sokak 4 numara, üç kişiyiz",
    "göçük altındayım telefonumun şarjı bitiyor",
    "GOCUK ALTINDAYIZ",
    "Hâlâ enkazdayız, kardeşimle konuşuyoruz, ne olur gelin",
    "bizi enkazdan çıkarın artık dayanamıyoruz",
    "Enkazın altından yazıyorum, adresim Lale apartmanı 2. kat",
    "Moloz yığınının altında kaldık, kimse gelmedi",
    "#enkazaltındayız #yardım",
    "Binamız çöktü, merdiven boşluğunda enkaz altında bekliyoruz",
    "17 saattir enkaz altındayız, çocuklar üşüyor",
    # rubble: a relative
    "annem enkaz altında",
    "Annem ve iki kardeşim hala enkaz altında, ekip yok",
    "ABİM ENKAZ ALTINDA AFAD NEREDE",
    "babaannem göçük altında kaldı ne olur birileri gelsin",
    "Yeğenim enkazda, sesi geliyor!",
    "Abim kurtarıldı. Annem hâlâ enkaz altında!",
    "enkaz altında kuzenlerim var, vinç bekliyoruz",
    "Kardeşim çıkarıldı ama eşim hala enkaz altında, yalvarırım yardım",
    "komşularımız enkaz altındalar seslerini duyuyoruz",
    # rubble: somebody
    "adres: Menekşe Mah. Gül Sok. No: 5, 3 kişi enkaz altında ses geliyor",
    "4 kişi enkaz altında, Çınar Apt. kat 3 daire 6",
    "Enkazdan ses geliyor, acil iş makinesi lazım",
    "ACİL VİNÇ LAZIM! Enkaz altında çocuklar var",
    "vinc lazim enkaz",
    "enkazın başındayız, içeriden sesler geliyor, kepçe yok, hilti yok",
    "Enkaz altında kalanlar var, kimse gelmedi, lütfen yayalım",
    "Göçük altında işçiler var kurtarma ekibi gönderin",
    "Papatya apartmanı yıkıldı enkaz altındalar kurtarılmayı bekliyorlar",
    "Binamız yıkıldı, içeride insanlar var, sesimizi duyan var mı",
    "🆘 Enkaz altında bebek var 🆘 adres aşağıda",
    "dayım enkazın altında telefonla konuşuyoruz şarjı bitmek üzere",
    "Kuzenim Ali enkaz altından aradı, üşüyorum dedi, ne olur yetişin",
    "Güneş apartmanının enkazında yeğenlerim var lütfen vinç",
    "abim 30 saattir goçük altinda, AKUT nerede",
    "Üç gündür enkaz başındayız, tek bir ekip gelmedi",
    "enkaz altında kimse gelmedi daha, annem orada, kardeşim enkaz altında",
    "Bu tatbikat değil! Enkaz altındayız!",
    "'Enkaz altındayız' diyen bir mesaj aldık, adres Çınar sokak no 3, yardım edin",
    "deprem oldu bina üstümüze çöktü sıkıştık kurtarın",
    "Maden ocağında göçük oldu babam içeride",
    "ACIL VINC!!! B BLOK ALTINDA SES VAR",
    # flood and stuck
    "mahsur kaldık, çatıda bekliyoruz",
    "Su basıyor kurtarın",
    "su yükseliyor imdat",
    "Çatıdayız, sel geliyor, bot gönderin",
    "sel bastı çatıya çıktık yardım edin",
    "MAHSUR KALDIK YARDIM EDİN",
    "mahsur kaldik yardim edinnn",
    "bebek mahsur",
    "Dere taştı, evin ikinci katında mahsur kaldık, yaşlı annem yanımda",
    "babam dere kenarındaki evde mahsur kaldı su yükseliyor",
    "Yolda kardan mahsur kaldık, arabada bebek var, donuyoruz",
    "trafikte mahsur kaldık kar fırtınası var çocuklar donuyor, yardım gönderin",
    "Asansörde mahsur kaldım, yaşlıyım, kimse duymuyor",
    "Köyde mahsuruz, yollar kapalı, hamile eşim sancılanıyor",
    "3 kişi çatıda bekliyor, sular yükseliyor, kurtarın",
    "komşunun çocuğu dereye düştü, akıntıya kapıldı, yardım edin",
    "arkadaşlarımız mağarada mahsur kaldılar, kurtarma ekibi gönderin",
    "mahzur kaldık selde, çocuklar var",
    "su seviyesi yükseliyor, arabanın üstündeyiz, bizi alın",
    "bodrum katta su doluyor yaşlı komşumuz çıkamıyor acil",
    "teleferikte mahsur kaldık saatlerdir havada asılıyız",
    "dağda kayboldum kar yağıyor şarjım bitiyor yardım edin",
    "denizde bot battı insanlar suda yardım edin",
    "Heyelan oldu evin içinde kaldık çıkamıyoruz acil",
    # fire
    "Alevlerin arasında kaldık",
    "evimiz yanıyor itfaiye hala gelmedi",
    "KÖYÜMÜZ YANIYOR YARDIM EDİN",
    "Alevler evlere yaklaşıyor, yaşlılar var, itfaiye gönderin",
    "Apartmanda yangın çıktı, içeride çocuk var!",
    "bina yanıyor üst katta insanlar mahsur kaldı kurtarın",
    "dumandan çıkamıyoruz 6. kattayız yardım edin",
    "KYK yurdunda yangın çıktı içeride öğrenciler var",
    "evde yangın çıktı kapıyı açamıyoruz",
    "Orman yangını köye dayandı, alevler geliyor, kurtarın",
    # illness
    "acil ambulans lazım",
    "Ambulans gönderin, adam yerde yatıyor",
    "babam kalp krizi geçiriyor 112 açmıyor",
    "ANNEM NEFES ALAMIYOR",
    "bebeğim nefes almıyor ne olur",
    "40 dakikadır ambulans bekliyoruz",
    "Kazada yaralılar var, ambulans hâlâ gelmedi",
    "Kadın kan kaybediyor, yol kapalı",
    "babam bayıldı, kendine gelmiyor",
    "Oğlum havale geçiriyor ambulans yok",
    "Annem oksijen cihazına bağlı. Elektrik iki saattir yok.",
    "elektrikler kesildi babam solunum cihazına bağlı yaşıyor",
    "dedem yere yığıldı nabzı yok 112 meşgul çalıyor",
    "Eşim doğum yapmak üzere yol kardan kapalı ambulans gelemiyor",
    "kar yüzünden yol kapalı diyaliz hastası babamı hastaneye götüremiyoruz",
    "traktör devrildi babam altında kaldı ambulans gönderin",
    "Annem bilincini kaybetti, bilinci kapalı, Şehit Ali sokaktayız",
    # cries
    "İMDAT",
    "imdaaat yardım ediiin",
    "acil yardım edin",
    "ACİL YARDIM EDİN LÜTFEN!!!",
    "acil yardım edin Gül sokak no 12 kat 2",
    "Lütfen acilen yardım",
]

NO_CALLS = [
    # figures of speech
    "ekonomik enkaz altında kaldık",
    "Zamların altında kaldık",
    "Eski yönetimin bıraktığı enkazın altındayız",
    "Borç enkazı altındayız, kurtarın bizi",
    "Türkiye enkaz altında, yardım edin diyen yok",
    "kalbim enkaz altında",
    "hepimiz enkaz altındayız",
    "Bu maçta takım enkaz altında kaldı, kurtarın bizi hocadan",
    "hayallerimizin enkazı altında kaldık",
    "Yıkılsın da enkazını seyredelim",
    "enkaz devraldık, yardım lazım",
    "faturayı görünce babam kalp krizi geçiriyordu",
    "sınavdan nefes alamıyorum imdat",
    "Sıcaktan boğuluyoruz yardım edin",
    "gülmekten öldüm ambulans gönderin",
    "sesi güzel diye bayıldım imdat",
    "işler yüzünden boğuluyoruz imdat",
    "Aşkının enkazı altındayız",
    "Babam maçta kalp krizi geçiriyor sandık o kadar heyecanlıydı",
    # had we been
    "Allah esirgesin göçük altında kalsak kim duyacak, ekip yok",
    "Göçük altında olsak bizi bulan çıkmazdı, kimse yok",
    "Diyelim ki göçük altındayız, kim gelecek",
    "deprem olsa enkaz altındayız hepimiz",
    "Neyse ki kimse enkaz altında değil",
    "Yine santraliniz göçük altında kaldı herhâlde",
    "Belediye otobüsleri göçük altında mı kaldı?",
    "Rüyamda enkaz altındayım, kimse gelmiyor",
    # news and announcements
    "Enkaz altından 3 kişi kurtarıldı",
    "Enkaz kaldırma çalışması tamamlandı",
    "Arama kurtarma tatbikatı yapıldı",
    "Tatbikat senaryosu gereği enkaz altında kalan 5 kişi için yardım istendi",
    "Maden ocağında göçük: 2 işçi göçük altında kaldı",
    "Valilik: Enkaz altında kalan iki vatandaşımız için arama kurtarma çalışmaları sürüyor",
    "Selde mahsur kalan aile helikopterle kurtarıldı",
    "Yaylada mahsur kalan 12 kişi tahliye edildi",
    "Asansörde mahsur kalan çocuğu itfaiye kurtardı",
    "Ekiplerimiz yangına müdahale ediyor, yangın kontrol altına alındı",
    "Göçük altındaki son işçinin de cansız bedenine ulaşıldı",
    "İlçemize iki yeni ambulans alındı",
    "Ambulansa yol vermeyen sürücüye ceza",
    "Evde yangın çıktı, itfaiye kısa sürede söndürdü",
    "Deprem çantasında neler olmalı, enkaz altında nasıl ses verilir?",
    "Enkaz altında kalan var mı diye tek tek bakıldı",
    "Bakan: Enkaz altında kimse kalmadı, ekip gerek yok",
    "Araçları kara saplanan vatandaşlar mahsur kaldı",
    "Denizde boğulma vakalarına karşı cankurtaran sayısı artırıldı",
    "Depremde annem enkaz altında diye korktum ama çok şükür evdeymiş",
    "elektrik kesildi, solunum cihazı kullanan komşumuza jeneratör getirdiler sağ olsunlar",
    # remembrance
    "17 Ağustos'ta enkaz altında kalanları anıyoruz",
    "Annem 1999 depreminde enkaz altında kaldı, rahmetle anıyorum",
    "6 Şubat'ta enkaz altında kaldım, 30 saat sonra çıkarıldım",
    "Sesimi duyan var mı? 25. yıl dönümünde unutmadık",
    "Babamı enkaz altında kaybettik",
    "O gece üç saat enkaz altında kaldık",
    "Geçen yıl selde mahsur kaldık, çocuklar korkmuştu",
    # fiction
    "Dizide annem enkaz altında sahnesi çok iyiydi",
    "bu filmin sonunda kız enkaz altında, kimse gelmiyor",
    # stuck, but in no danger
    "trafikte mahsur kaldık",
    "Metrobüste mahsur kaldım, yeter artık",
    "Havalimanında mahsur kaldık, çocuklar aç, yardım edin",
    "okulda mahsur kaldık servis gelmedi",
    "uygulamanın içinde mahsur kaldık, acil yardım edin",
    "Arabam garajda mahsur kaldı, önüne asfalt dökmüşler",
    "Bunun bir mahsuru yok",
    "Çatıda kedi mahsur kaldı, kurtarın",
    "İstanbul trafiğinde üç saattir mahsur kaldık yardım edin",
    "Kar yağdı mahallede mahsur kaldık, tuzlama yapın",
    "Asansör bozuk, yaşlılar çıkamıyor, yardım edin",
    "Çatıya çıktık manzara harika",
    # help in everyday sense
    "yardım eder misiniz fatura için",
    "müşteri hizmetleri imdat!",
    "Faturam yanlış gelmiş, acil yardım edin",
    "imdat bu hatta internet çekmiyor",
    "Şu trafikten bizi kurtarın",
    "Sesimizi duyan var mı, sular üç gündür akmıyor",
    "Sesimi duyan yok mu burada?",
    "Evlatlarımıza iş verin, yardım edin",
    "Her yağmurda rögar taşıyor, evi su basıyor, kurtarın bizi",
    "Çöp kokusundan nefes alamıyoruz",
    "Kafede sigara dumanı var, içeride çocuk var",
    "Elektrik yok, internet yok, imdat",
    "Mahallemizde ambulans istasyonu yok",
    "Çatıda bekleyen usta hâlâ gelmedi",
    "Doğalgaz yok, evde donuyoruz",
    "Yangın söndürme tüpü yok okulda, içeride çocuklar var",
    "Enkazı kaldırmadınız hâlâ, toz içindeyiz, yardım edin",
    "Göçük oluşan yolda araçlar mahsur kaldı",
    "acil yardım hattı çalışmıyor",
    "Baz istasyonu sos verdi, telefon ölü",
    "Bebek banyoda oynarken suyu kestiniz, kurtarın bizi bu kesintiden",
    # collections
    "Depremzedeler için yardım kampanyası başladı, bağış yapın",
    "Enkaz altında kalanların aileleri için bağış topluyoruz, yardım edin",
    "Yardım kolisi lazım olan ailelere ulaştırıyoruz",
    "Acil A rh negatif kan aranıyor",
]


# What the rule cannot tell: a human looks.
TAKEN_AT_THEIR_WORD = [
    "göçük altındayım, hat yine yok, helal olsun size",
    "Kooperatif battı, ailem enkaz altında kaldı, paramızı verin",
]
NOT_UNDERSTOOD = [
    "We are under the rubble, please help",
    "Üstümüzde tonlarca taş var, nefesimiz tükeniyor",
    "Oğlum iki gündür eve gelmedi",
]


def plain(text: str) -> str:
    return turkish.ascii_fold(turkish.lower(text))


def plain_upper(text: str) -> str:
    return plain(text).upper()


@pytest.mark.parametrize("text", CALLS)
def test_a_call_is_heard(text: str) -> None:
    """By whoever is in danger, or for somebody."""
    assert calls_for_help(text)


@pytest.mark.parametrize("text", NO_CALLS)
def test_the_same_words_in_another_sense_are_none(text: str) -> None:
    """A mark that is seen every day is looked at no more."""
    assert not calls_for_help(text)


@pytest.mark.parametrize("write", [turkish.lower, turkish.upper, plain, plain_upper])
def test_how_it_is_written_changes_nothing(write: Callable[[str], str]) -> None:
    """Capitals, dots and tails: whoever is in need types as they can."""
    assert [text for text in CALLS if not calls_for_help(write(text))] == []
    assert [text for text in NO_CALLS if calls_for_help(write(text))] == []


@pytest.mark.parametrize("text", ["", " ", "...", "🆘", "imdat", "İmdat. İmdat!", "#imdat @afad [bağlantı: ornek.bel.tr]"])
def test_a_text_of_almost_nothing(text: str) -> None:
    """A cry alone is one, nothing at all is none."""
    assert calls_for_help(text) == bool(text.strip(" ."))


def test_who_is_named_is_nobody_in_danger() -> None:
    """Masked names and links are no words of the text."""
    assert not calls_for_help("[kişi] [kişi] mahsuru yok, https://ornek.bel.tr/imdat-enkaz-altindayiz")


def test_what_the_rule_cannot_tell() -> None:
    """Written down, so that nobody expects it: irony is believed, other words and languages are not understood."""
    assert all(map(calls_for_help, TAKEN_AT_THEIR_WORD))
    assert not any(map(calls_for_help, NOT_UNDERSTOOD))


# -- the phrases ------------------------------------------------------------------------------------------------------------


def elements(phrase: str) -> list[list[str]]:
    """The words that may stand in each place of a phrase."""
    places = [element for element in phrase.split() if not element.startswith((".", "!", "#", "$"))]
    return [list(words(place.split("|"))) for place in places]


def words(alternatives: list[str]) -> Iterator[str]:
    for word in alternatives:
        if word.startswith("{"):
            yield from words(help_phrases.WORDS[word.strip("{}")].split())
        else:
            yield word.rstrip("*")


def test_the_first_look_hides_no_danger() -> None:
    """Each phrase of danger has a place where every word has a stem of the first look in it."""
    phrases = {phrase for rule in help_phrases.RULES for phrase in rule.danger} | set(help_phrases.URGENT_CRIES)
    assert [
        phrase for phrase in sorted(phrases)
        if not any(all(any(stem in word for stem in help_phrases.STEMS) for word in place) for place in elements(phrase))
        and not any(stem in phrase for stem in help_phrases.STEMS if " " in stem)
    ] == []  # fmt: skip


def test_phrases_are_folded() -> None:
    """Or they would never be found."""
    phrases = {phrase for rule in help_phrases.RULES for part in (rule.danger, rule.unless, *rule.support) for phrase in part}
    phrases |= {
        *help_phrases.CRIES,
        *help_phrases.OCCASIONS,
        *help_phrases.SAID_OTHERWISE,
        *help_phrases.OVER,
        *help_phrases.LONG_AGO,
        *help_phrases.STILL,
    }
    assert [word for phrase in sorted(phrases) for place in elements(phrase) for word in place if fold(word) != word] == []
    assert [stem for stem in help_phrases.STEMS if " " not in stem and fold(stem) != stem] == []
