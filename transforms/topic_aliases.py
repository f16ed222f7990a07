"""What publishers call their sections, in seven languages and more, as data.

Each line of a topic holds aliases as ``alias_key`` folds them, apart by ``;``.
Names that fit any topic ("news", "world", "live") are left out on purpose.
"""

from __future__ import annotations

_ALIASES = {
    "arts-culture-entertainment-and-media": """
        achterklap; art; arte; artes; arts; arts & culture; arts and culture; arts et spectacles;
        audiovisuel; ausstellungen; awards; boeken; bollywood; books; boulevard; bucher; buhne;
        celebridades; celebrities; celebrity; celebrity news; celebs; cine; cinema; cinema e serie;
        cinema e tv; comics; conciertos; cultura; cultura e spettacoli; cultura y ocio; culture;
        culture & loisirs; culture et medias; cultuur; dance; danse; entertainment; entertainment &
        arts; entertainment and arts; entretenimento; entretenimiento; espectaculos; exposiciones;
        expositions; fernsehen; festivals; feuilleton; film; film en tv; films; fumetti; games;
        gaming; gente; gossip; hollywood; imprensa; journalism; kino; klassik; ksiazki; kultur;
        kultur & unterhaltung; kultur und medien; kultura; kunst; kunst en cultuur; leute; libri;
        libros; libros y literatura; literatur; livres; livros; media; media & culture; media en
        cultuur; medias; medien; medien und kultur; medios; mostre; movie; movies; museums; music;
        musica; musik; musique; muziek; nollywood; opera; oscars; people; photography; podcasts;
        pop; pop & arte; prensa; presse; promis; radio; rozrywka; seriale; serien; series; showbiz;
        spectacles; spettacoli; spettacolo; spettacolo e cultura; stage; stars; streaming; teatr;
        teatro; teatro y danza; televisao; televisie; television; theater; theatre; toneel; toros;
        tv; tv & radio; tv and radio; tv e spettacoli; tv tipps; unterhaltung; video games
    """,
    "crime-law-and-justice": """
        112; blaulicht; blaulichtreport; casos de policia; corrupcion; corruption; cour d assises;
        court; courts; crime; crime & courts; crime & justice; crime & law; crime and courts; crime
        and justice; crime news; crimen; crimes; crimi; criminalidade; cronaca; cronaca giudiziaria;
        cronaca nera; enquetes judiciaires; fait divers; faits divers; gerechtigkeit; gericht;
        giudiziaria; giustizia; homicide; judicial; juicios; justica; justice; justice et faits
        divers; justicia; justitie; justiz; kriminalitat; kronika kryminalna; law; legal; legal
        affairs; legal news; mafia; misdaad; murder; narcotrafico; omicidi; p2000; panorama justiz;
        police; police et justice; police justice; policia; policia civil; policial; policiales;
        polizei; polizeibericht; polizeimeldungen; prawo; proces; prozesse; recht; rechtspraak;
        rechtsstaat; rechtszaken; seguranca; seguridad; seguridad ciudadana; strafrecht; sucesos;
        supreme court; tribunal; tribunales; true crime; verbrechen; violencia de genero
    """,
    "disaster-accident-and-emergency-incident": """
        aardbeving; accident; accident de la route; accidentes; accidents; acidente; acidentes;
        alluvione; brand; brande; brandweer; catastrofes; catastrophe; catastrophes; desastres;
        disaster; disasters; disastri; earthquake; earthquakes; emergencies; emergency services;
        enchentes; erdbeben; feuerwehr; fires; flooding; floods; hochwasser; hurricanes; incendi;
        incendie; incendies; incendios; incendios florestais; incidente stradale; incidenti;
        inondations; katastrofy; katastrophen; natural disasters; ongeluk; ongelukken; ongevallen;
        plane crash; pozary; rampen; rescue; seisme; seismes; terremoti; terremoto; terremotos;
        transito acidentes; unfall; unfalle; unglucke; wildfire; wildfires; wypadki
    """,
    "economy-business-and-finance": """
        agribusiness; agricoltura; agricultura; agriculture; agriculture et peche; agronegocio;
        aktien; argent; autos business; aviation; aziende; banca; banken; banking; banks;
        baufinanzierung; bedrijven; beurs; bitcoin; biznes; bolsa; borsa; borse; borsen; bourse;
        business; business & economy; business & finance; business & money; business and economy;
        business news; comercio; commerce; commodities; companies; conso; consommation; consumer;
        consumo; crypto; cryptocurrency; currencies; devisen; dinero; earnings; economia; economia e
        finanza; economia e negocios; economics; economie; economie en bedrijven; economie et
        finance; economy; economy & business; economy and business; empresas; energie & wirtschaft;
        energie en economie; energy; entrepreneurs; entreprises; farming; financas; finance; finance
        & economy; finances; financien; finanse; finanse osobiste; finanza; finanzas; finanzen;
        fisco; forex; geld; geld en werk; geldanlage; gielda; gospodarka; grunder; handel;
        huizenmarkt; immobiliare; immobilien; immobilier; immobilier et placements; imoveis; impots;
        impuestos; industria; industrie; industry; inflacion; inflation; insurance; investimentos;
        investing; ipo; konjunktur; landbouw; landwirtschaft; lavoro e finanza; logistics;
        manufacturing; market; markets; markte; mercados; mercati; mercato; mercato immobiliare;
        mining; mittelstand; money; negocios; nieruchomosci; oil & gas; okonomie; ondernemen;
        patrimoine argent; pensioni; personal finance; pieniadze; pme; property; real estate;
        retail; risparmio; rohstoffe; rolnictwo; seguros; small business; soldi; start ups;
        startups; steuern; stock markets; stocks; tasse; tax; taxes; telecoms; trade; unternehmen;
        verbraucher; verbraucherschutz; versicherungen; vivienda; wirtschaft; wirtschaft & finanzen;
        wirtschaft und finanzen; woningmarkt; your money
    """,
    "education": """
        abitur; bac; becas; bildung; campus; campus etudiant; colegios; concursos e vestibulares;
        ecole; educacao; educacao e carreira; educacion; education; edukacja; enem; enseignement;
        enseignement superieur; ensino; etudiants; formacion; forschung und lehre; higher education;
        hochschule; hoger onderwijs; istruzione; k 12; karriere und hochschule; kita; kita und
        schule; learning; lehrer; lycee; matura; maturita; onderwijs; oposiciones; parcoursup;
        rentree; school; schools; schule; schulen; scuola; scuola e universita; selectividad;
        students; studeren; studia; studieren; studium; szkola; szkoly; teachers; uni; universidad;
        universidades; universita; universite; universites; universities; university; vestibular
    """,
    "environment": """
        amazonia; ambiente; animais; animales; animali; animals; animaux; artenschutz;
        biodiversidad; biodiversite; cambiamento climatico; cambio climatico; clima e ambiente;
        clima e meio ambiente; clima y ambiente; clima y medio ambiente; climat; climat et
        environnement; climate; climate & environment; climate and environment; climate change;
        climate crisis; conservation; dieren; duurzaamheid; ecologia; ecologie; ekologia; energia y
        medio ambiente; energie und umwelt; energiewende; energy & environment; environment;
        environment & climate; environnement; green; green energy; klima; klimaat; klimaat en
        milieu; klimakrise; klimaschutz; klimat; klimawandel; medio ambiente; medioambiente; meio
        ambiente; milieu; nachhaltigkeit; natur; natura; naturaleza; nature; natureza; natuur;
        natuur en milieu; oceans; planet; planete; pollution; renewable energy; sostenibilidad;
        sostenibilita; srodowisko; sustainability; sustentabilidade; tiere und umwelt; transition
        ecologique; umwelt; wildlife; zwierzeta
    """,
    "health": """
        aids; alimentazione; bem estar; bien etre; bienestar; cancer; corona; coronavirus;
        coronavirus covid 19; covid; covid 19; covid19; diet; diet & nutrition; ebola; enfermedades;
        ernahrung; ernahrung und gesundheit; fitness; fitness & health; gesundheit; gezond;
        gezondheid; gezondheidszorg; health; health & wellness; health and wellness; health care;
        health news; healthcare; koronawirus; krankenhaus; krankheiten; maladies; malaria; medecine;
        medici; medicina; medicine; medizin; medycyna; mental health; nhs; nutricion; nutrition;
        pandemic; pflege; psicologia; psyche; psychologie; psychology; public health; salud; salud
        mental; salud y bienestar; salute; salute e benessere; sanidad; sanita; sante; sante et bien
        etre; sante publique; saude; saude e bem estar; vaccines; vida sana; wellness; zdrowie;
        ziekte; zorg
    """,
    "human-interest": """
        adel; animali buffi; bijzonder; bizar; bizarre; bizarro; buntes; casa real; ciekawostki;
        curiosidades; curiosita; familles royales; familles royales et people; famosos e realeza;
        gente y estilo; good news; gute nachrichten; human interest; insolite; insolites;
        koningshuis; kurioses; lol; lustiges; menschen; monarchie; monarquia; odd news; oddly
        enough; offbeat; opmerkelijk; people & royals; positive news; quirky; realeza; realeza
        britanica; reali; royal; royal family; royal news; royals; royals adel; royals news; storie;
        strange news; tierisch kurios; uplifting; vermischtes kurios; viraal; weird; weird news; wtf
    """,
    "labour": """
        arbeid; arbeidsmarkt; arbeit; arbeitsmarkt; arbeitswelt; beruf; beruf & chance; beruf und
        chance; careers; carriere; carrieres; empleo; empleo y formacion; emploi; emploi et
        formation; employment; emprego; empregos; gewerkschaften; greve; greves; huelga;
        huelgas; job; jobs; jobs & karriere; karriere; labor; labor unions; laboral; labour; lavoro;
        lavoro e carriere; occupazione; praca; rynek pracy; scioperi; sciopero; sindacati;
        sindicatos; sindicatos e trabalho; social et emploi; staking; strajk; streik; streiks;
        strikes; syndicats; trabajo; trabalho; trabalho e carreira; trade unions; travail; unions;
        vakbonden; vie de bureau; wages; werk; werk en carriere; work; work & careers; workplace
    """,
    "lifestyle-and-leisure": """
        art de vivre; auto; auto & mobil; auto en motor; auto moto; auto und verkehr; automotive;
        automoveis; autos; beaute; beauty; beleza; belleza; bellezza; benessere e bellezza; carros;
        cars; casa e jardim; coches; cocina; comida; crosswords; cruises; cucina; cucina e ricette;
        cuisine; cuisine et vins; culinair; culinaria; deco; decoracion; design; drinks; essen;
        essen & trinken; essen und trinken; estilo; estilo de vida; eten; eten en drinken; fashion;
        fashion & beauty; fashion news; food; food & drink; food and drink; freizeit; gardening;
        garten; gastro; gastronomia; gastronomia e vinhos; gastronomie; genuss; gourmet; haus und
        garten; haustiere; hobbies; holidays; home & garden; home and garden; homes; horoscope;
        horoscopes; horoscopo; horoskop; hotels; huis en tuin; interiors; jardin; koken; kuchnia;
        leben; leisure; liebe; life & style; life and style; life style; lifestyle; lifestyle &
        mode; living; luxury; maison; maison et jardin; mascotas; moda; moda i uroda; mode; mode en
        beauty; mode et beaute; motor; motori; motoring; motors; motoryzacja; ocio; ogrod; oroscopo;
        partnerschaft; pets; podroze; puzzles; receitas; recetas; recipes; recipes & food; reise;
        reisen; reizen; restaurants; rezepte; ricette; shopping; sorties; stil; stile; stili di
        vita; styl zycia; style; tempo libero; tourism; tourisme; travel; travel news; tuin;
        turismo; turismo e viagem; uroda; viagem; viagens; viaggi; viajes; viajes y turismo; voyage;
        voyages; voyages et tourisme; vrije tijd; weddings; weekend; wine; wohnen und garten; wonen
    """,
    "politics": """
        assemblee nationale; aussenpolitik; brexit; bundestag; bundestagswahl; congreso; congress;
        congresso; democracy; diplomacy; diplomatie; elecciones; elecciones autonomicas; elecciones
        generales; election; election 2024; elections; elections legislatives; elections
        presidentielles; eleicoes; eleicoes 2022; elezioni; elezioni politiche; eu politics;
        europa politik; european politics; european union; foreign affairs; foreign policy;
        gemeenteraadsverkiezingen; general election; gobierno; gouvernement; gouvernement et
        parlement; government; governo; governo e parlamento; governo federal; innenpolitik;
        innenpolitik und parteien; kabinet; kabinet en kamer; koalition; legislatives; midterms;
        municipales; nacional politica; national politics; parlamento; parlamento y gobierno;
        parliament; parliament live; parteien; partidos; partis politiques; partiti; party politics;
        poder; policy; policy & politics; politica; politica exterior; politica interna; politica
        nacional; politics; politics & policy; politics live; politiek; politik; politik ausland;
        politik inland; politique; politique internationale; polityka; presidential election;
        presidentielle; quirinale; regierung; rzad; scottish politics; sejm; senate; state politics;
        tweede kamer; uk politics; united nations; us election; us election 2024; us politics; us
        politik; verkiezingen; wahl; wahlen; wahlkampf; welsh politics; westminster; white house;
        white house news; wybory; wybory prezydenckie
    """,
    "religion": """
        belief; bibel; bible; buddhism; catholicisme; chiesa; christianity; church; eglise; ethics &
        religion; faith; fe; fede; fede e religione; geloof; glaube; hajj; hinduism; iglesia;
        igreja; islam; judaism; judentum; kerk; kirche; kirche und glaube; kosciol; papa; pape;
        papst; paus; pope; ramadan; religia; religiao; religiao e fe; religie; religion; religion &
        belief; religion und kirche; religione; religions; vatican; vaticano; vaticano y religion;
        vie religieuse
    """,
    "science-and-technology": """
        ai; apple; apps; archaeology; archaologie; archeologie; arqueologia; artificial
        intelligence; astronomie; biologie; biology; celulares; chemistry; ciencia; ciencia e
        espaco; ciencia e saude; ciencia e tecnologia; ciencia y tecnologia; computer; computing;
        cyber; cyber security; cybersecurity; digital; digital economy; digitales; digitalisierung;
        espace; espacio; forschung; gadget; gadget e tech; gadgets; games e tecnologia; google;
        handy; hardware; high tech; hightech; ia; informatica; informatique; innovation; innovation
        & tech; innovazione; inovacao; inteligencia artificial; intelligence artificielle;
        intelligenza artificiale; internet; internet en media; it security; ki; kosmos; kunstliche
        intelligenz; kunstmatige intelligentie; mathematics; medizin & forschung; microsoft;
        mobiles; moviles; nasa; nauka; nauka i technika; netzpolitik; netzwelt; numerique; phones;
        physics; physik; physique; raumfahrt; raumfahrt & astronomie; redes sociales; reseaux
        sociaux; robotics; robotik; ruimtevaart; sci tech; science; science & environment; science &
        tech; science & technology; science and technology; sciences; sciences et environnement;
        sciences et technologies; scienza; scienza e tecnologia; scienze; sicherheit it;
        smartphones; social media; social network; software; soziale medien; space; spacex; spazio;
        startups & tech; sztuczna inteligencja; tech; tech news; techniek; technik; techno;
        technologia; technologie; technology; tecno; tecnologia; tecnologia e games; tecnologia e
        scienza; tecnologia y ciencia; weltraum; wetenschap; wetenschap en techniek; wissen;
        wissen & technik; wissenschaft
    """,
    "society": """
        aging; banlieues; charity; communities; community; demographics; derechos humanos; derechos
        sociales; direitos humanos; diritti; disability; donne; droits humains; famiglia; famiglia e
        societa; familia; familie; families; famille; family; feminisme; feminismo; femmes; first
        nations; fluchtlinge; frauen; gender; gesellschaft; gesellschaft & leben; gezin;
        homelessness; housing; human rights; igualdad; imigracao; immigration; immigration et
        diversite; indigenous; inegalites; inequality; inmigracion; jeunesse; jugend; kobieta; lgbt;
        lgbtq; lgbtqia; maatschappij; migracion; migranti; migratie; migration; migration und
        integration; mujer; mujeres; mulher; panorama gesellschaft; parenting; parents; pauvrete;
        poverty; racism; refugees; refugiados; refugies; relationships; rodzina; samenleving;
        social; social affairs; social care; sociale; sociedad; sociedade; societa; societe;
        society; soziales; soziales und gesellschaft; spoleczenstwo; vrouwen; welfare; women; women
        s rights; wonen en samenleving; youth
    """,
    "sport": """
        2 bundesliga; 3 liga; afcon; afl; ajax; american football; ashes; asian games; athletics;
        athletisme; atletica; atletico; atletico de madrid; automobilismo; automobilismo e f1;
        baloncesto; balonmano; baseball; basket; basket nba; basketball; basquete; biathlon; boxen;
        boxeo; boxing; brasileirao; bundesliga; calcio; campeonato brasileiro; champions league;
        champions league fussball; chess; ciclismo; college basketball; college football;
        commonwealth games; conference league; copa america; copa del rey; copa do mundo; coupe de
        france; coupe du monde; cricket; cricket news; cycling; cyclisme; darts; deporte; deportes;
        deportes de motor; desporto; desporto motorizado; dfb pokal; dfb team; e sport; eishockey;
        ek voetbal; ekstraklasa; em 2024; eredivisie; esport; esporte; esportes; esports; euro 2024;
        europa league; f1; fc barcelona; feyenoord; fixtures; foot; foot national; football;
        football ligue 1; formel 1; formula 1; formula 1 motor; formula one; formula uno; fussball;
        fussball bundesliga; futbol; futebol; futebol internacional; gaa; giro d italia; golf;
        gossip football; handball; hippisme; hockey; hockey sobre hielo; horse racing; ice hockey;
        indycar; ipl; jeux olympiques; jo 2024; judo; juegos olimpicos; juventus; koszykowka; la
        liga; laliga; leichtathletik; lekkoatletyka; libertadores; libertadores 2024; liga; liga
        bbva; liga de campeones; ligue 1; live cricket score; lpga; mercato foot; mlb; mma;
        modalidades; moto gp; motociclismo; motogp; motor sport; motorsport; motorsport formel 1;
        mundial; napoli; nascar; natation; nationalmannschaft; nazionale; nba; ncaa; netball; nfl;
        nhl; npfl; nrl; nuoto; olimpiadas; olimpiadi; olympia; olympic games; olympics; olympische
        spelen; oranje; pallavolo; paralympic games; paralympics; pferdesport; pga tour; pilka
        nozna; polideportivo; premier league; primera division; psg; psl; psv; radsport; real
        madrid; regionalliga; reiten; roland garros; rugby; rugby 1823; rugby league; rugby union;
        rugby xv; schaatsen; schach; schwimmen; sci; sci alpino; segeln; segunda division;
        seleccion; serie a; serie b; siatkowka; six nations; ski; ski alpin; skiing; skispringen;
        skoki narciarskie; snooker; soccer; sport; sport invernali; sport news; sportmix;
        sportnieuws; sports; sports news; sports us; sporty zimowe; super eagles; swimming; tennis;
        top 14; tour de france; transfer news; transfers; transferts; turnen; ufc; us sports;
        veldrijden; voetbal; voile; volei; volleyball; vuelta; wielrennen; winter sports;
        wintersport; wk voetbal; wm 2022; wnba; world cup; world cup 2022; wrestling; zuzel; zuzel
        liga
    """,
    "conflict-war-and-peace": """
        air force; armed conflict; armee; armees; army; bundeswehr; conflict; conflicto; conflicts;
        conflit; conflit israelo palestinien; conflito; conflits; conflitto; defence; defence &
        security; defensa; defense; defense et armee; defensie; defensie en veiligheid; difesa;
        ejercito; esercito; forcas armadas; fuerzas armadas; gaza; gaza oorlog; gaza war; guerra;
        guerra de ucrania; guerra em gaza; guerra em israel; guerra en oriente medio; guerra en
        oriente proximo; guerra en ucrania; guerra in medio oriente; guerra in ucraina; guerra
        israel; guerra israele hamas; guerra na ucrania; guerra no medio oriente; guerra rusia
        ucrania; guerra russia ucraina; guerra ucrania; guerre; guerre a gaza; guerre au proche
        orient; guerre en ukraine; guerre israel hamas; guerre ukraine; hostages; israel gaza;
        israel gaza war; israel hamas; israel hamas war; israel palestine; israel palestine conflit;
        krieg; krieg in der ukraine; krieg in nahost; krieg ukraine; middle east conflict; militar;
        military; nahostkonflikt; navy; oorlog; oorlog gaza; oorlog in oekraine; oorlog midden
        oosten; peacekeeping; proche orient conflit; russia ukraine war; russland ukraine krieg;
        security & defence; security and defence; sudan war; terreur; terror; terrorism; terrorisme;
        terrorisme et defense; ucraina; ukraine; ukraine konflikt; ukraine krieg; ukraine russia
        war; ukraine war; ukraine war live; war; war & conflict; war in ukraine; wojna; wojna na
        ukrainie; wojna w ukrainie; wojsko
    """,
    "weather": """
        alerta meteo; canicule; clima hoy; el tiempo; forecast; heatwave; heatwaves; het weer;
        hurricane; intemperies; maltempo; meteo; meteo du jour; meteo e maltempo; meteorologia;
        meteorologie; pogoda; previsao; previsao do tempo; prevision meteorologica; previsioni;
        previsioni del maltempo; previsions meteo; prognoza pogody; pronostico del tiempo; snow;
        storm; stormen; storms; storms & weather; tiempo; uk weather; unwetter; unwetterwarnung;
        weather; weather forecast; weather news; weather warnings; weer; weer vandaag; weerbericht;
        wetter; wetter & klima; wetter aktuell; wetterbericht; wettervorhersage; wettervorschau;
        wetterwarnung
    """,
}

TOPIC_OF_ALIAS: dict[str, str] = {
    alias: slug
    for slug, text in _ALIASES.items()
    for alias in (" ".join(part.split()) for part in text.split(";"))
    if alias
}
"""Folded alias -> topic slug."""
