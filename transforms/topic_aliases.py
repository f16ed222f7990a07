"""What publishers call their sections, in seven languages and more, as data.

Each line of a topic holds aliases as ``alias_key`` folds them, apart by ``;``.
Names that fit any topic ("news", "world", "live") are left out on purpose.
"""

from __future__ import annotations

_ALIASES = {
    "arts-culture-entertainment-and-media": """
        achterklap; art; arte; artes; arts; arts & culture; arts and culture; arts et spectacles;
        boeken; books; boulevard; bucher; celebridades; celebrities; celebrity; celebrity news;
        celebs; cine; cinema; cinema e tv; cultura; cultura e spettacoli; culture; culture et
        medias; cultuur; dance; entertainment; entertainment & arts; entertainment and arts;
        entretenimento; entretenimiento; espectaculos; fernsehen; feuilleton; film; film en tv;
        films; games; gaming; gente; kino; kultur; kultura; kunst; leute; libri; libros;
        literatur; livres; livros; media; media en cultuur; medias; medien; medios; movie; movies;
        museums; music; musica; musik; musique; muziek; opera; people; photography; pop & arte;
        promis; radio; rozrywka; showbiz; spectacles; spettacoli; spettacolo; stage; stars;
        teatro; televisao; televisie; television; theater; theatre; tv; tv & radio; tv and radio;
        tv e spettacoli; unterhaltung; video games
    """,
    "crime-law-and-justice": """
        blaulicht; casos de policia; court; courts; crime; crime & courts; crime & justice; crime
        & law; crime and courts; crime and justice; crime news; crimes; criminalidade; cronaca;
        cronaca giudiziaria; cronaca nera; faits divers; giustizia; judicial; justica; justice;
        justice et faits divers; justicia; justitie; justiz; kriminalitat; kronika kryminalna;
        law; legal; misdaad; panorama justiz; police; police et justice; police justice; policia;
        policiales; polizei; prawo; proces; recht; rechtspraak; rechtszaken; seguridad; sucesos;
        tribunales; true crime; verbrechen
    """,
    "disaster-accident-and-emergency-incident": """
        accident; accidentes; accidents; acidentes; catastrofes; catastrophe; catastrophes;
        desastres; disaster; disasters; disastri; earthquake; earthquakes; emergencies; erdbeben;
        flooding; floods; hochwasser; hurricanes; incendies; incendios; incendios florestais;
        incidenti; katastrophen; natural disasters; ongelukken; ongevallen; rampen; seismes;
        terremoto; terremotos; unfall; unfalle; unglucke; wildfire; wildfires; wypadki
    """,
    "economy-business-and-finance": """
        argent; autos business; aviation; aziende; banking; banks; bedrijven; beurs; biznes;
        bolsa; borsa; borse; bourse; business; business & economy; business & finance; business
        and economy; business news; companies; conso; consommation; consumer; consumo;
        cryptocurrency; dinero; economia; economia e finanza; economia e negocios; economics;
        economie; economie et finance; economy; economy & business; economy and business;
        empresas; energy; entreprises; financas; finance; finance & economy; finances; financien;
        finanse; finanza; finanzas; finanzen; geld; geld en werk; gospodarka; immobilien;
        immobilier; imoveis; industry; investimentos; investing; konjunktur; lavoro e finanza;
        market; markets; markte; mercados; mercati; money; negocios; ondernemen; personal finance;
        pieniadze; property; real estate; retail; soldi; stock markets; stocks; telecoms; trade;
        unternehmen; verbraucher; vivienda; wirtschaft; wirtschaft & finanzen; your money
    """,
    "education": """
        bildung; campus; campus etudiant; colegios; ecole; educacao; educacion; education;
        edukacja; enem; enseignement; ensino; higher education; hochschule; istruzione; karriere
        und hochschule; onderwijs; school; schools; schule; schulen; scuola; students; szkola;
        uni; universidad; universidades; universita; universites; universities; university;
        vestibular
    """,
    "environment": """
        ambiente; biodiversite; cambiamento climatico; cambio climatico; clima e ambiente; clima e
        meio ambiente; clima y medio ambiente; climat; climate; climate & environment; climate and
        environment; climate change; climate crisis; conservation; duurzaamheid; ecologia;
        ecologie; energy & environment; environment; environment & climate; environnement; green;
        klima; klimaat; klimaat en milieu; klimakrise; klimat; klimawandel; medio ambiente;
        medioambiente; meio ambiente; milieu; nachhaltigkeit; natur; natura; naturaleza; nature;
        natureza; natuur; planet; planete; pollution; sostenibilidad; sostenibilita; srodowisko;
        sustainability; sustentabilidade; umwelt; wildlife
    """,
    "health": """
        bem estar; bien etre; bienestar; corona; coronavirus; coronavirus covid 19; covid; covid
        19; covid19; ernahrung und gesundheit; fitness & health; gesundheit; gezondheid;
        gezondheidszorg; health; health & wellness; health and wellness; health care; health news;
        healthcare; koronawirus; medecine; medicina; medicine; medizin; mental health; nhs;
        pandemic; public health; salud; salute; salute e benessere; sanita; sante; sante publique;
        saude; wellness; zdrowie; zorg
    """,
    "human-interest": """
        adel; bizar; bizarre; bizarro; buntes; casa real; ciekawostki; curiosidades; curiosita;
        familles royales; famosos e realeza; gente y estilo; good news; human interest; insolite;
        koningshuis; kurioses; menschen; odd news; oddly enough; offbeat; opmerkelijk; people &
        royals; quirky; realeza; reali; royal; royal family; royals; royals adel; storie; strange
        news; weird; weird news
    """,
    "labour": """
        arbeidsmarkt; arbeit; arbeitsmarkt; beruf; careers; carriere; carrieres; empleo; emploi;
        employment; emprego; empregos; job; jobs; jobs & karriere; karriere; labor; laboral;
        labour; lavoro; lavoro e carriere; occupazione; praca; social et emploi; strikes; trabajo;
        trabalho; trabalho e carreira; travail; unions; werk; werk en carriere; work; work &
        careers; workplace
    """,
    "lifestyle-and-leisure": """
        art de vivre; auto; auto en motor; auto moto; beauty; carros; cars; cocina; comida;
        cucina; cuisine; culinair; culinaria; deco; essen; essen & trinken; estilo; estilo de
        vida; eten; eten en drinken; fashion; fashion & beauty; food; food & drink; food and
        drink; freizeit; gardening; garten; gastronomia; gastronomie; genuss; hobbies; home &
        garden; homes; jardin; kuchnia; leben; leisure; life & style; life and style; life style;
        lifestyle; lifestyle & mode; living; moda; moda i uroda; mode; mode et beaute; motor;
        motori; motoring; motoryzacja; ocio; podroze; receitas; recetas; recipes; reise; reisen;
        reizen; rezepte; ricette; shopping; stil; stile; stili di vita; styl zycia; style; tempo
        libero; tourisme; travel; travel news; turismo; turismo e viagem; viagem; viagens; viaggi;
        viajes; voyage; voyages; vrije tijd; wonen
    """,
    "politics": """
        aussenpolitik; brexit; bundestag; bundestagswahl; congreso; congress; congresso;
        democracy; diplomacy; elecciones; elecciones generales; election; election 2024;
        elections; elections presidentielles; eleicoes; eleicoes 2022; elezioni; general election;
        gobierno; gouvernement; government; governo; innenpolitik; kabinet; national politics;
        parlamento; parliament; poder; policy; politica; politica interna; politica nacional;
        politics; politics & policy; politics live; politiek; politik; politik ausland; politik
        inland; politique; polityka; presidentielle; regierung; tweede kamer; uk politics; us
        election; us election 2024; us politics; verkiezingen; wahlen; westminster; white house;
        wybory
    """,
    "religion": """
        belief; chiesa; christianity; church; eglise; faith; fe; fede; geloof; glaube; iglesia;
        igreja; islam; kerk; kirche; kosciol; religia; religiao; religie; religion; religion &
        belief; religion und kirche; religione; religions; vatican; vaticano; vie religieuse
    """,
    "science-and-technology": """
        ai; artificial intelligence; biology; ciencia; ciencia e saude; ciencia e tecnologia;
        ciencia y tecnologia; computer; computing; cybersecurity; digital; digitales; espace;
        espacio; forschung; gadgets; high tech; innovation; innovazione; inovacao; inteligencia
        artificial; intelligenza artificiale; internet; kunstliche intelligenz; nauka; nauka i
        technika; netzpolitik; netzwelt; numerique; phones; physics; raumfahrt; ruimtevaart; sci
        tech; science; science & environment; science & tech; science & technology; science and
        technology; sciences; sciences et technologies; scienza; scienza e tecnologia; scienze;
        software; space; spazio; tech; tech news; techniek; technik; techno; technologia;
        technologie; technology; tecno; tecnologia; tecnologia e games; tecnologia e scienza;
        wetenschap; wetenschap en techniek; wissen; wissen & technik; wissenschaft
    """,
    "society": """
        communities; community; demographics; famiglia; familia; familie; families; famille;
        family; gender; gesellschaft; gezin; housing; igualdad; imigracao; immigration;
        immigration et diversite; inequality; inmigracion; lgbtq; maatschappij; migracion;
        migranti; migratie; migration; migration und integration; panorama gesellschaft; rodzina;
        samenleving; social; social affairs; social care; sociale; sociedad; sociedade; societa;
        societe; society; soziales; spoleczenstwo; welfare
    """,
    "sport": """
        2 bundesliga; american football; athletics; athletisme; atletica; automobilismo;
        baloncesto; baseball; basket; basketball; basquete; boxeo; boxing; brasileirao;
        bundesliga; calcio; champions league; ciclismo; college basketball; college football; copa
        do mundo; coupe du monde; cricket; cycling; cyclisme; darts; deporte; deportes; desporto;
        eishockey; em 2024; eredivisie; esporte; esportes; euro 2024; f1; football; football ligue
        1; formel 1; formula 1; formula 1 motor; formula one; formula uno; fussball; futbol;
        futebol; golf; handball; hippisme; hockey; horse racing; ice hockey; ipl; jeux olympiques;
        jo 2024; juegos olimpicos; leichtathletik; liga; liga de campeones; ligue 1; live cricket
        score; mlb; mma; moto gp; motociclismo; motogp; motor sport; motorsport; motorsport formel
        1; mundial; nba; ncaa; netball; nfl; nhl; olimpiadas; olimpiadi; olympia; olympic games;
        olympics; olympische spelen; pallavolo; pilka nozna; premier league; primera division;
        radsport; rugby; rugby league; rugby union; schaatsen; sci; serie a; skiing; snooker;
        soccer; sport; sport invernali; sport news; sportmix; sportnieuws; sports; sports news;
        sports us; sporty zimowe; swimming; tennis; transferts; ufc; voetbal; volei; volleyball;
        wielrennen; winter sports; wintersport; wm 2022; wnba; world cup; world cup 2022;
        wrestling; zuzel
    """,
    "conflict-war-and-peace": """
        armed conflict; armee; conflict; conflicto; conflicts; conflit; conflit israelo
        palestinien; conflito; conflits; conflitto; defence; defensa; defense; defense et armee;
        defensie; ejercito; esercito; gaza; gaza oorlog; gaza war; guerra; guerra de ucrania;
        guerra em gaza; guerra em israel; guerra en ucrania; guerra in ucraina; guerra israele
        hamas; guerra na ucrania; guerra ucrania; guerre; guerre en ukraine; guerre israel hamas;
        israel gaza; israel gaza war; israel hamas war; israel palestine; israel palestine
        conflit; krieg; krieg in der ukraine; krieg in nahost; middle east conflict; militar;
        military; nahostkonflikt; oorlog; oorlog gaza; oorlog in oekraine; russia ukraine war;
        terrorism; terrorisme; ucraina; ukraine; ukraine krieg; ukraine russia war; ukraine war;
        war; war & conflict; war in ukraine; wojna; wojna na ukrainie; wojna w ukrainie
    """,
    "weather": """
        el tiempo; forecast; heatwave; het weer; hurricane; meteo; meteorologia; meteorologie;
        pogoda; previsao do tempo; prevision meteorologica; previsioni; previsioni del maltempo;
        previsions meteo; storm; storms; tiempo; uk weather; unwetter; weather; weather
        forecast; weather news; weer; weerbericht; wetter; wetter & klima; wetterbericht;
        wettervorhersage
    """,
}

TOPIC_OF_ALIAS: dict[str, str] = {
    alias: slug
    for slug, text in _ALIASES.items()
    for alias in (" ".join(part.split()) for part in text.split(";"))
    if alias
}
"""Folded alias -> topic slug."""
