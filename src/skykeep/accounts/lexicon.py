"""Words by which articles attribute: verbs with their stance, offices, kinds of organisations.

English, German and French in one: no word of one means something else of this kind in another.
"""

from __future__ import annotations


def words_of(text: str) -> frozenset[str]:
    """A list of words."""
    return frozenset(text.split())


#: Verbs that are something else unless words or a clause follow.
WEAK = words_of(
    "reports describes described regarded called calls confirmed promised promises estimates "
    "notes states questions asked asks doubts counters posts observed concluded revealed "
    "reported corrected described indicated gab zog fügte wies nie dit rejected regarded "
    "thinks"
)

OFFICES = words_of(
    "president vice-president minister secretary spokesman spokeswoman spokesperson mayor "
    "governor chief head director commander general colonel major captain lieutenant "
    "brigadier admiral officer inspector superintendent constable commissioner chairman "
    "chairwoman chair chairperson leader analyst expert professor researcher fellow historian "
    "lawyer scientist engineer manager ambassador adviser advisor aide senator mp lawmaker "
    "deputy chancellor premier official envoy diplomat representative founder economist "
    "physician doctor surgeon astronomer meteorologist attorney prosecutor judge sheriff ceo "
    "owner chamberlain master executive speaker controller solicitor consultant specialist "
    "investigator congressman congresswoman councillor parliamentarian marshal sergeant dean "
    "rector lecturer academic strategist undersecretary dr prof gen col lt capt gov sen maj "
    "brig adm chairs heads leads owns chaired headed led parliament sprecher sprecherin "
    "präsident präsidentin minister ministerin innenminister innenministerin "
    "verteidigungsminister verteidigungsministerin regierungssprecher regierungssprecherin "
    "flughafensprecher flughafensprecherin polizeisprecher polizeisprecherin bürgermeister "
    "bürgermeisterin oberbürgermeister experte expertin luftfahrtexperte forscher forscherin "
    "sicherheitsforscher leiter leiterin werkleiter werkleiterin chef chefin fraktionschef "
    "fraktionschefin vorsitzende vorsitzender direktor direktorin kanzler kanzlerin "
    "botschafter botschafterin außenminister außenministerin staatssekretär staatssekretärin "
    "kommandeur professorin anwalt anwältin abgeordneter abgeordnete landrat landrätin "
    "président présidente ministre préfet préfète maire directeur directrice porte-parole "
    "chercheur chercheuse spécialiste experte analyste ambassadeur ambassadrice commandant "
    "colonel général avocat avocate député députée procureur procureure secrétaire professeur "
    "professeure"
)
PRIVATE = words_of(
    "resident residents neighbour neighbours neighbor neighbors passer-by bystander witness "
    "witnesses eyewitness eyewitnesses woman man passenger passengers mother father fan fans "
    "tourist tourists student students pupil pensioner local locals guest guests gardener "
    "fisherman baker bakery reader readers user users commenter boy girl teenager couple "
    "shopper shoppers villager villagers driver cyclist jogger customer customers people "
    "onlooker onlookers homeowner mourner anwohner anwohnerin nachbar nachbarin augenzeuge "
    "augenzeugin passant passantin leser leserin voisin voisine riverain riveraine habitant "
    "habitante témoin passager passagère lecteur"
)
ORGANS = words_of(
    "ministry office police airport airports service services agency union association board "
    "council company firm government department embassy navy army force forces guard guards "
    "guardsmen brigade party institute prison hospital club league bank trust university "
    "court commission authority authorities alliance federation operator airline regulator "
    "watchdog kremlin pentagon nato eu un administration constabulary registry command "
    "parliament senate cabinet centre center group refinery plant factory committee "
    "organisation organization corporation officials prosecutors investigators bureau "
    "institution press-office observatory telecom military house secretariat broadcaster "
    "maker manufacturer consulate ministries coastguard militia regime campaign polizei "
    "feuerwehr staatskanzlei luftaufsicht landeskriminalamt ministerium innenministerium "
    "verteidigungsministerium behörde behörden regierung flughafen werk amt partei verband "
    "bundeswehr botschaft bundespolizei staatsanwaltschaft gewerkschaft unternehmen "
    "préfecture ministère aéroport gendarmerie police syndicat ambassade gouvernement mairie "
    "armée parquet société compagnie agence direction autorités"
)
#: Several without names are nobody who can be asked.
NAMELESS = words_of(
    "analysts experts sources source commentators bloggers observers scientists critics "
    "supporters media papers newspapers activists experten quellen medien experts médias"
)
#: States and capitals that newspapers let speak; others count where an office is named with them.
STATES = words_of(
    "russia ukraine moscow kyiv kiev washington london paris berlin beijing china iran tehran "
    "israel poland warsaw belarus minsk turkey ankara france germany britain denmark "
    "copenhagen norway oslo sweden stockholm finland helsinki estonia latvia lithuania "
    "romania moldova georgia america brussels"
)
NAME_PARTICLES = words_of("de del della di da von van der den ten bin al el la le du des of")
TITLES = words_of(
    "mr mrs ms miss sir dame lord lady herr frau monsieur madame m mme presidential prime "
    "foreign defence defense interior state police transport environment health finance "
    "justice home chief first second acting former deputy vice senior detective opposition "
    "press government regional region city military naval air lead principal assistant "
    "executive managing national the secretary-general under portfolio without cultural "
    "security"
)
HE = words_of("he she er sie il elle lui ihm him")
IT = words_of("it es they ils elles")
ABBREVIATIONS = words_of(
    "mr mrs ms dr prof st gen col sen gov lt capt maj sgt rep rev no vs u.s u.k e.g i.e jr sr "
    "mt jan feb mar apr jun jul aug sept sep oct nov dec a.m p.m bzw z.b ca nr hr mme adm "
    "brig insp supt cmdr dept etc inc ltd co"
)
