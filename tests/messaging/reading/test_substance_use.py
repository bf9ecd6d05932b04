"""Which texts speak of alcohol or drugs: those stay out of what goes to an EHR unless the clinic lets them go."""

from messaging.reading import substance_use

SPEAKS = """
i had a few drinks last night | Drank again. sorry | im drunk | How many beers do you have in a week? | i quit drinking
90 days sober today! | I relapsed | nine months clean | been clean since march | got my 4 year chip
my sponsor is with me
can i go to my AA meeting instead | did NA meeting today | my brother OD'd | i od on pills in 2011 | he ODs a lot
need my suboxone refilled | methadone clinic closed | picked up narcan | is naltrexone ok w ibuprofen | vivitrol shot
going to rehab on monday | detox was hard | bad withdrawals | cravings are back | using again | I used last night
i smoke weed every night | smoked a joint | edibles help me sleep | do you test for thc | got high
I do coke sometimes
smoking crack again | meth | heroin | fentanyl strips please | took molly | popping pills again | snorted it
shooting up
addicted to pain pills | failed my drug test | drugs are everywhere here | dui court at 9 | I was hungover
blacked out
Your AUDIT-C is in | sent the auditc form | i drink wine and water | substance use group moved to Tuesday | benzos
two glasses of wine | vodka | b33r and liquor | the dispensary | my dealer called | halfway house wont let me leave
ando borracho | tomé cerveza anoche | llevo 3 meses sobria | recaí | volví a beber | ya no consumo
5 años limpio de la heroína
dejé las drogas | fumo mota para dormir | voy a alcohólicos anónimos | se me acabó la metadona | me pasé de copas
tomé mucho anoche | dos copas de vino | estaba crudo | fumando cristal | sobredosis | mi adicción | me drogué | no bebo
hace dos semanas sin beber | unos tragos | la marihuana me calma | un antidoping | dejé de tomar | estoy tomado
"""
SPEAKS_NOT = """
Y | on my way | can i come at 3 instead | drinking plenty of water | can i drink coffee before the test
no food or drink
nothing to eat or drink after midnight? | the drug store is closed | drug interactions with zoloft? | running late
is there a generic drug for it | room was clean | I used the link and it failed | physical rehab for my knee
feeling odd
See you on Friday. Reply C to confirm | What a meeting! | a meeting at 3 | I wasted my time | my blood pressure is high
i stopped using the cpap | started using the app | vanilla ice cream | i sleep badly | sertraline makes me dizzy
do i need an alcohol wipe for the shot | quit smoking cigarettes | too much caffeine | chewing gum | my dose is 50 mg
the doctor is a good one | can you call me | thanks so much | what is the address | is parking free
my daughter is sick
mi bebé tiene fiebre | el doctor vino tarde | tomo agua | tomo la pastilla en la mañana | sí, ahí estaré | gracias
no puedo ir el lunes | me duele la rodilla | volví a tomar la medicina | tomar mucha agua | la clínica está cerrada
trago la pastilla con agua | coca cola light | está limpio el baño | piedras en el riñón | hongos en la uña
a qué hora
"""


def sentences(listed: str) -> list[str]:
    return [each.strip() for line in listed.strip().splitlines() for each in line.split("|")]


def test_every_text_that_speaks_of_alcohol_or_drugs_is_known_by_it() -> None:
    assert [text for text in sentences(SPEAKS) if not substance_use.is_spoken_of(text)] == []
    assert len(sentences(SPEAKS)) >= 80


def test_an_ordinary_text_is_not_taken_for_one() -> None:
    assert [text for text in sentences(SPEAKS_NOT) if substance_use.is_spoken_of(text)] == []
    assert len(sentences(SPEAKS_NOT)) >= 50
