"""Invented news: stories, ways to edit them, and different news from one template.

Nothing here is anybody's text; names, places and figures are made up.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

STORIES = (
    """The harbour council of Brantmouth voted on Tuesday night to close the old swing bridge to lorries from the first of March. Engineers had found cracks in two of the four bearings during a routine inspection in November. Councillor Edda Pryce said the decision was painful for hauliers but left the town without an alternative. "Nobody wants to be the one who waited too long," she told a crowded meeting. Drivers will be sent over the Marl Road viaduct, a detour of eleven kilometres. The repair is expected to cost 4.2 million pounds and to take nine months. The fishermen's cooperative has asked for an exemption for its night deliveries.""",
    """Researchers at the University of Tolvane have taught a small underwater robot to follow eels through murky rivers by the faint electric fields the animals give off. The machine, which weighs less than a bag of sugar, tracked thirty-one eels for up to six days in trials last autumn. Until now biologists had to catch and tag each fish. Lead author Mirela Oost said the method could show where dams block the way to the sea. The team published the plans for the robot without charge. Two fishing authorities have already ordered parts for their own version.""",
    """Striker Davor Linden scored twice in the last ten minutes as Kestrel Rovers came from behind to beat Oakmere Town 3-2 on Saturday. The visitors led at the break through a penalty by Sam Orrin and a header from captain Luc Tavares. Rovers manager Petra Holm made three changes at half-time and her side pressed from then on. Linden's winner, a volley from the edge of the area, sent the home stand into song. Rovers move up to fourth before the derby on Wednesday. Oakmere have not won away since the middle of August.""",
    """The government of Ostrava Vale announced an inquiry into the collapse of the Hallow Street car park, in which seven people were hurt. Minister Jonas Reek said a retired judge would lead it and that a first report was due before the summer. Residents had complained about water dripping through the ceiling of the lower deck since spring. The operator, Parkwell, said an inspection two months ago had found no danger. Rescue teams searched the rubble with dogs until Sunday evening before they declared the site clear. Four of the injured have left hospital.""",
    """A court in Lindqvist sentenced the former treasurer of the city's opera house to five years in prison for diverting more than 900,000 crowns into accounts of his own. Anders Fjell, 58, admitted that he had written invoices for costumes that were never made. Judge Karin Aas said he had betrayed the trust of people who sewed, sang and painted for modest wages. The fraud came to light when a new seamstress asked where the velvet was. Defence lawyer Tom Brekke said his client would not appeal. The opera has so far recovered about a third of the money.""",
    """Millers in the Veldt region warn that bread may become dearer after a third poor harvest in a row. Rain in July flattened much of the wheat shortly before it could be cut, and what was saved is low in protein. The guild's chairwoman Sanne Kuyper said her members pay almost a quarter more for good flour than a year ago. Large bakeries have begun to mix in spelt from the south. Farmers ask the province for a fund against crop failures, which the finance office has refused so far. A meeting of all sides is planned for the end of the month.""",
    """Doctors at the Saint Orsola clinic have reported the first results of a screening programme that looks for kidney disease with a drop of dried blood. Of 12,400 people who posted a sample, 312 were asked to come in and 97 began treatment. Many of them felt entirely well. Nephrologist Ilaria Conti said every second case would have been found years later without the test, which costs about as much as a cinema ticket. Insurers want to see a second year of figures before they pay for it. The clinic has enough cards for another 20,000 samples.""",
    """Thousands of commuters were stranded on Thursday morning after a power line came down between Arden Junction and Fellbridge. Trains stood still for almost four hours and some passengers walked along the track to the nearest road, although the railway had warned them not to. A spokesman for Northline said a crane on a building site had touched the cable. Nobody was hurt. Buses took over part of the service but filled within minutes. The line reopened at noon with half of its trains, and the evening timetable ran nearly to plan. Northline promised refunds to everyone with a ticket.""",
    """Singer Malou Ferrand has cancelled the second half of her summer tour because of an inflamed vocal cord. The 34-year-old wrote to her fans that she had tried to keep going until her doctor used a word she would rather not repeat. Eleven concerts in four countries are affected, among them two sold-out nights at the Arena di Brenno. Tickets remain valid for new dates next spring or can be given back until the end of August. Her label said the recording of the new album would go on as planned, with songs that do not need the high notes.""",
    """A brown bear that had been seen near several mountain huts in the Carnel valley was captured unharmed on Monday and moved to a reserve. Ranger Pavel Stroud said the young male had learned to open rucksacks and showed no fear of walkers any more. The animal was lured into a trap with honey and smoked trout. It wears a collar now that reports its place every two hours. Conservationists had demanded for weeks that the bear should not be shot. The valley's hotels, meanwhile, sell small wooden bears and report more guests than in any other June.""",
    """The airline Skarvair will give up its route between Holmsund and the Faraway Isles in October, leaving the islands with a single flight a day. The company said the small planes were full in July and all but empty in winter. Island mayor Brynja Dahl called the step a slap in the face of patients who fly to the mainland for treatment. The transport ministry is looking into a subsidy of up to 3 million a year. A ferry makes the crossing in nine hours when the weather allows. Skarvair wants to use the aircraft for charter flights to the south.""",
    """Pupils of the Elmfield school have beaten four universities in a national contest for bridges made of spaghetti. Their construction of 870 grams carried 212 kilograms before it burst into a thousand pieces. Teacher Robin Achebe said the class had broken 63 bridges since September and kept a diary of every failure. The trick was to bake the joints for twenty minutes at a low heat. The prize of 5,000 will pay for a trip to a real bridge. A team of engineers from a firm in the capital has invited the youngest builder, aged eleven, to spend a day with them.""",
)

BOILERPLATE = (
    "Sign up to our evening letter for the stories that matter.",
    "Read more: what the town has to say about it",
    "Follow us on every channel you like",
    "All rights reserved by the publisher of this page.",
    "Our reporters are independent, and your subscription keeps them so.",
    "Comments are open until midnight and read by a person before they appear.",
    "The picture above this text was taken by a reader.",
    "Download our app for alerts on the move.",
)

_OTHER_WORDS = "amber basin candle dappled errand fathom gentle hollow island jumble kettle lantern meadow nimble orchard pebble quarry ripple saddle timber umbrella valley whistle yonder".split()  # noqa: SIM905


def with_boilerplate(text: str, random_: random.Random) -> str:
    """One to four lines that are no news."""
    lines = random_.sample(BOILERPLATE, random_.randint(1, 4))
    before = random_.randint(0, len(lines))
    return "\n\n".join([*lines[:before], text, *lines[before:]])


def with_other_words(text: str, random_: random.Random, share: float) -> str:
    words = text.split()
    for place in random_.sample(range(len(words)), round(share * len(words))):
        words[place] = random_.choice(_OTHER_WORDS)
    return " ".join(words)


def cut_to_half(text: str, _: random.Random) -> str:
    words = text.split()
    return " ".join(words[: len(words) // 2])


def lead_only(text: str, random_: random.Random) -> str:
    words = text.split()
    return " ".join(words[: random_.randint(18, 30)]) + "... Read more"


def in_round_up(text: str, random_: random.Random) -> str:
    others = random_.sample([story for story in STORIES if story != text], 3)
    others.insert(random_.randint(0, 3), text)
    return "\n\n".join(["What you need to know this morning:", *others])


def agency_swapped(text: str, random_: random.Random) -> str:
    place = random_.choice(["BRANTMOUTH", "Oakmere", "LINDQVIST, May 4"])
    agency = random_.choice(["Reuters", "AP", "dpa", "AFP"])
    return f"{place} ({agency}) - {text} ({agency})"


EDITS: dict[str, tuple[Callable[[str, random.Random], str], float]] = {
    "one to four lines of boilerplate": (with_boilerplate, 1.0),
    "8 % of the words changed": (lambda t, r: with_other_words(t, r, 0.08), 1.0),
    "15 % of the words changed": (lambda t, r: with_other_words(t, r, 0.15), 0.99),
    "cut to half": (cut_to_half, 1.0),
    "lead and read more": (lead_only, 0.66),
    "quoted in a round-up": (in_round_up, 0.98),
    "agency swapped": (agency_swapped, 1.0),
}
"""Each edit, and the recall that the design asks for."""

_NAMES = [
    "Alda Birk",
    "Cosmo Dray",
    "Edwin Farr",
    "Greta Holloway",
    "Ivo Janssen",
    "Kira Lund",
    "Milan Novak",
    "Oona Pell",
    "Quinn Rask",
    "Selma Thorn",
    "Ulla Voss",
    "Wim Yardley",
    "Zeno Abbott",
    "Bela Crane",
    "Dora Eklund",
    "Felix Grohm",
]
_TOWNS = [
    "Ashby",
    "Brenwick",
    "Coldwater",
    "Dunmore",
    "Eastvale",
    "Fairhaven",
    "Glenrock",
    "Hartley",
    "Ironbridge",
    "Juniper",
    "Kingsmere",
    "Larkfield",
    "Millbrook",
    "Northgate",
    "Oldham",
    "Pinewood",
]
_TEAMS = [
    "Ashby Athletic",
    "Brenwick City",
    "Coldwater Wanderers",
    "Dunmore United",
    "Eastvale Rangers",
    "Fairhaven Albion",
    "Glenrock Rovers",
    "Hartley Town",
    "Ironbridge County",
    "Juniper Vale",
]
_FIRMS = [
    "Altamira Steel",
    "Borealis Foods",
    "Cobalt Mining",
    "Dorian Bank",
    "Ember Energy",
    "Fulcrum Motors",
    "Granite Insurance",
    "Helix Pharma",
    "Indigo Telecom",
    "Juno Airlines",
]
_JOBS = (
    "sculptor",
    "surgeon",
    "novelist",
    "conductor",
    "physicist",
    "trade unionist",
    "goalkeeper",
)


def market_report(r: random.Random) -> str:
    up = r.choice(["rose", "fell", "slipped", "gained"])
    first, second, third = r.sample(_FIRMS, 3)
    return (
        f"Shares in the capital {up} on {r.choice(['Monday', 'Tuesday', 'Thursday', 'Friday'])} as investors "
        f"weighed new figures from industry. The leading index closed {r.uniform(0.1, 2.9):.2f} percent "
        f"{r.choice(['higher', 'lower'])} at {r.randint(3000, 9000):,} points. {first} led the gainers with a rise "
        f"of {r.uniform(1, 9):.1f} percent after its quarterly report, while {second} lost {r.uniform(1, 9):.1f} percent. "
        f"{third} was little changed at {r.uniform(5, 90):.2f}. Turnover came to {r.randint(200, 900)} million shares. "
        f"The yield on ten-year government bonds stood at {r.uniform(1, 5):.2f} percent."
    )


def weather(r: random.Random) -> str:
    town, other = r.sample(_TOWNS, 2)
    return (
        f"{town} can expect {r.choice(['sunshine', 'showers', 'fog', 'drizzle', 'snow'])} in the morning and "
        f"{r.choice(['clear skies', 'strong winds', 'thunderstorms', 'light rain'])} later in the day, the weather service said. "
        f"Temperatures will reach {r.randint(-4, 33)} degrees, with lows of {r.randint(-12, 15)} degrees at night. "
        f"Winds from the {r.choice(['north', 'south', 'west', 'east'])} will reach {r.randint(10, 90)} kilometres an hour. "
        f"The chance of rain is {r.randint(5, 95)} percent. Tomorrow it will be {r.choice(['warmer', 'cooler'])}, "
        f"and in {other} the day begins with {r.choice(['haze', 'frost', 'clouds', 'sun'])}."
    )


def score_line(r: random.Random) -> str:
    home, away = r.sample(_TEAMS, 2)
    scorer, other = r.sample(_NAMES, 2)
    return (
        f"{home} beat {away} {r.randint(2, 5)}-{r.randint(0, 1)} on Saturday to stay in the race for promotion. "
        f"{scorer} opened the scoring after {r.randint(2, 44)} minutes and {other} made sure of the points "
        f"with a late second in front of a crowd of {r.randint(2000, 30000):,}. The result leaves {away} "
        f"{r.choice(['two', 'three', 'four', 'five'])} points above the relegation places."
    )


def obituary(r: random.Random) -> str:
    name, town = r.choice(_NAMES), r.choice(_TOWNS)
    return (
        f"The {r.choice(_JOBS)} {name} has died at the age of {r.randint(61, 99)}, the family announced on "
        f"{r.choice(['Monday', 'Wednesday', 'Sunday'])}. Born in {town} in {r.randint(1925, 1962)}, {name.split()[0]} "
        f"first came to public notice with {r.choice(['a prize in the capital', 'an exhibition abroad', 'a broadcast', 'a lecture'])} "
        f"and remained active until last year. {name.split()[1]} leaves {r.choice(['a wife', 'a husband'])} and "
        f"{r.choice(['two', 'three', 'four'])} children. A funeral service will be held in {r.choice(_TOWNS)} "
        f"on {r.randint(1, 28)} {r.choice(['March', 'June', 'October'])}."
    )


def quake(r: random.Random) -> str:
    return (
        f"An earthquake of magnitude {r.uniform(4.1, 6.9):.1f} shook the region around {r.choice(_TOWNS)} on "
        f"{r.choice(['Monday', 'Tuesday', 'Saturday'])}, the geological survey said. The quake struck at a depth of "
        f"{r.randint(5, 120)} kilometres, {r.randint(10, 200)} kilometres {r.choice(['north', 'south', 'east'])} of "
        f"{r.choice(_TOWNS)}. There were no immediate reports of damage or injuries, and no tsunami warning was issued."
    )


TEMPLATES: dict[str, Callable[[random.Random], str]] = {
    "market report": market_report,
    "weather": weather,
    "score line": score_line,
    "obituary": obituary,
    "earthquake": quake,
}

ONE_EVENT = (
    (
        "Fire broke out in a paper warehouse in Coldwater early on Friday. More than 80 firefighters fought the flames for six hours, and people nearby were told to keep their windows shut. Nobody was injured, police said. The cause is being investigated.",
        "Thick smoke hung over Coldwater on Friday after a blaze destroyed a store of paper on the northern edge of town. Crews from five stations, some 80 people, needed until midday to bring it under control. The owner put the damage at two million. There were no casualties.",
    ),
    (
        "Prime Minister Oona Pell resigned on Wednesday after losing a vote on the budget by three votes. She said she would stay in office until her party has chosen a successor. Markets fell sharply at the news.",
        "The head of the government, Oona Pell, has stepped down. Three of her own members voted with the opposition against the spending plan for next year. Who follows her is open; finance minister Ivo Janssen is seen as the favourite.",
    ),
    (
        "Fulcrum Motors will cut 1,200 jobs at its works in Hartley by the end of next year, the company said on Monday. It blamed weak demand for vans. The union called for talks and did not rule out a strike.",
        "Workers in Hartley reacted with anger on Monday to plans by Fulcrum Motors to shed 1,200 of 5,000 posts. Union leader Dora Eklund spoke of a breach of faith. Management had promised two years ago that nobody would have to go.",
    ),
    (
        "Greta Holloway won the marathon of Kingsmere on Sunday in 2:24:11, more than a minute ahead of Selma Thorn. Rain and wind kept times slow. About 14,000 runners took part.",
        "In pouring rain Greta Holloway has taken the title in Kingsmere. The 29-year-old broke away after 30 kilometres and crossed the line in 2:24:11. Selma Thorn came second. The record of the course was never in danger.",
    ),
    (
        "A passenger ferry ran aground off Fairhaven on Thursday evening with 211 people on board. All were brought ashore in lifeboats within two hours, the coastguard said. A child was treated for shock.",
        "The captain had turned to avoid a fishing boat when his ferry hit a sandbank near Fairhaven, a passenger told us. The 211 people on board had to wait in the dark for the lifeboats. By ten o'clock everyone was in the town hall with a blanket and tea.",
    ),
    (
        "Helix Pharma said on Tuesday its malaria vaccine protected 78 percent of children in a trial with 4,800 participants. The firm will ask for approval in the spring. Its shares rose by nine percent.",
        "Hope for parents in the tropics: a new vaccine against malaria keeps nearly four in five children well, according to a study presented on Tuesday. Doctors who took no part in it called the figures of Helix Pharma convincing but asked for longer observation.",
    ),
)
"""Two reports of one event, each in its own words: different texts, both to be kept."""


def template_pairs(n: int, seed: int) -> list[tuple[str, str, str]]:
    """n pairs of different news from each template: its name and the two texts."""
    r = random.Random(seed)
    pairs = [(name, make(r), make(r)) for name, make in TEMPLATES.items() for _ in range(n)]
    return pairs + [("one event", *pair) for pair in ONE_EVENT]
