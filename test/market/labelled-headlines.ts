import type { CatalystType } from '../../src/domains/market/catalyst-categories.js'

/**
 * Headlines written for this test, each under the one category it is news of; `none` has words of the
 * categories in other meanings, in names, or news of no category.
 */
const LABELLED: Readonly<Record<CatalystType | 'none', string>> = {
  earnings: `
Acme net income rises 12% on cloud demand
Beta Corp Q2 profit falls as costs climb
Gamma posts third-quarter loss of $0.12 a share
Delta Foods reports record quarterly revenue
Omega EPS of $1.42 tops consensus
Orion Motors beats estimates on truck sales
Lumen Retail misses Wall Street expectations
Vertex Steel swings to a loss in fourth quarter
Nordwind full-year results ahead of plan
Halcyon Air first-half profit doubles
Acme earnings call: five takeaways
Kestrel Bank's quarterly earnings slide 9%
Pinewood reports FY24 results
Solaris sales jump 20% in the second quarter, profit up
Strong cloud business lifts Tidal's third-quarter earnings
Marlin issues profit warning for the second time this year
Quanta's operating profit drops by a third
Granite REIT FFO and net income beat consensus
Bluebird same-store sales rise 3%, topping expectations
Meridian Q3: revenue $2.1bn vs $2.0bn expected
Copperfield narrows quarterly loss
Zenith's adjusted EPS comes in at 88 cents, two cents above estimates
Interim report January-June: organic growth of 4%
Ridgeline tops quarterly estimates as ad spending returns
Harbor Group posts surprise profit
Oakline comparable sales fall short of analysts' estimates in holiday quarter`,
  fda: `
FDA approves Acme's migraine drug
F.D.A. rejects Beta's weight-loss pill
U.S. Food and Drug Administration clears Gamma heart valve
Delta receives complete response letter for its eye drug
FDA places clinical hold on Omega gene therapy
Orion wins breakthrough therapy designation for lymphoma treatment
Lumen gets orphan drug status in rare liver disease
Vertex files new drug application for insomnia pill
PDUFA date for Nordwind's antibiotic set for March
Halcyon receives 510(k) clearance for glucose monitor
FDA panel votes against Kestrel's opioid
Fast track designation granted to Pinewood vaccine
Solaris submits biologics license application
FDA grants emergency use authorization to Tidal test
FDA advisers back Marlin's RSV shot
Quanta drug wins FDA nod
FDA delays decision on Granite's kidney treatment
Bluebird gets FDA warning letter over Ohio plant
Investigational new drug application of Meridian accepted
Copperfield's stent wins premarket approval from U.S. regulator FDA
Priority review granted for Zenith asthma drug by the FDA
Ridgeline awaits F.D.A. ruling on flu shot`,
  merger: `
Acme buys Beta
Gamma to acquire Delta for $4.2 billion
Omega agrees to buy rival Orion in all-stock deal
Lumen completes acquisition of Vertex
Nordwind and Halcyon announce merger of equals
Kestrel rejects takeover bid from Pinewood
Solaris in talks to buy chipmaker Tidal
Marlin launches hostile bid for Quanta
Granite to be taken private in $3bn buyout
Bluebird shareholders approve merger with Meridian
Copperfield sweetens offer for Zenith to $51 a share
Ridgeline acquired by private equity firm
Harbor Group to merge with Oakline
M&A boom: banks see record deal pipeline
Private equity firm bids for Acme's packaging unit
EU clears Beta's takeover of Gamma
Delta scraps planned merger after regulators object
Omega bought Orion's solar business for $900 million
Activist urges Lumen to explore sale of the company
Vertex extends tender offer for Nordwind
Halcyon to go private in management-led deal
Kestrel to sell cable unit to Pinewood for $2bn
Tidal nears deal to acquire Marlin, sources say
Acquisition of Quanta will close in June, Granite says`,
  analyst: `
Goldman upgrades Acme to buy
Beta downgraded to neutral at Morgan Stanley
Gamma price target raised to $210 from $180
JPMorgan initiates coverage of Delta with overweight rating
Analysts turn cautious on Omega after run-up
Orion cut to underperform at Jefferies
Barclays reiterates equal weight on Lumen
Citi lifts Vertex PT to $95
Moody's downgrades Nordwind to junk
Halcyon upgraded by UBS on margin hopes
Kestrel stock gets a Street-high price target
Wedbush names Pinewood a top pick, outperform rating
Analyst sees 40% upside in Solaris
Tidal rated strong buy by new analyst
Deutsche Bank starts Marlin at hold
Quanta double-downgraded to sell
Analysts raise price targets on Granite after investor day
Bernstein assumes coverage of Bluebird at market perform
Meridian loses its last sell rating
S&P cuts Copperfield credit rating to BB
Wells Fargo downgrades Zenith on valuation
Evercore adds Ridgeline to tactical outperform list`,
  insider: `
Acme CEO sells $5 million of stock
Beta director buys 10,000 shares
Gamma insiders dump shares before lock-up expiry
Insider buying picks up at Delta
Form 4: Omega chief financial officer disposes of 25,000 shares
Orion chairman purchases shares on the open market
Insider selling at Lumen hits five-year high
Vertex CFO bought stock worth $1.2 million
Nordwind founder offloads 2% stake under trading plan
Halcyon officer sold shares at $45, filing shows
Kestrel insiders are buying the dip
Pinewood president acquires 3,000 shares
Insider transactions at Solaris last week
Tidal 10% owner adds to stake, Form 4 shows
Marlin executive vice president sells 8,400 shares
Large insider purchase at Quanta
Granite board member buys stock for the third time this year
Bluebird co-founder unloads $30 million in shares
Insider sells Meridian shares worth $640,000
Copperfield directors snap up shares after slump`,
  legal: `
Acme sued over battery fires
Beta agrees to settle class action for $40 million
Gamma faces antitrust probe in Europe
Judge dismisses lawsuit against Delta
Omega wins patent infringement trial against Orion
SEC charges Lumen with accounting fraud
Vertex pleads guilty in bribery case
Nordwind fined $90 million for data breach
Halcyon to pay $1.1bn settlement over opioid claims
Jury finds Kestrel liable in talc case
DOJ opens investigation into Pinewood billing
Solaris executives indicted for price fixing
Supreme Court rejects Tidal appeal
Marlin subpoenaed by New York attorney general
Quanta sues Granite for trade secret theft
Shareholders file lawsuit against Bluebird board
Appeals court revives case against Meridian
Copperfield reaches settlement with U.S. Justice Department
Regulators investigate Zenith for misleading investors
Ridgeline loses appeal in royalty litigation
Class action lawsuit filed against Harbor Group
Court rules for Oakline in trademark dispute`,
  product: `
Acme unveils foldable phone
Beta launches electric pickup
Gamma recalls 50,000 cars over brakes
Delta introduces AI assistant for lawyers
Omega rolls out cheaper streaming plan
Orion debuts new graphics chip
Lumen to launch smart glasses next year
Vertex recalls baby formula after contamination
New iPhone model goes on sale today
Nordwind releases new version of its database
Halcyon delays launch of flagship console
Kestrel shows off next-generation battery
Pinewood product lineup refreshed with three new laptops
Solaris launches payment app in Brazil
Tidal's latest headset hits stores
Marlin discontinues its entry-level sedan
Product recall widens at Quanta
Granite unveils quantum processor
Bluebird announces new plant-based burger
Meridian introduces subscription service for heated seats
Copperfield starts shipping its new server
Zenith expands recall of air fryers`,
  guidance: `
Acme raises full-year guidance
Beta cuts 2025 outlook on weak demand
Gamma withdraws annual forecast
Delta reaffirms fiscal 2024 guidance
Omega warns of lower sales in second half
Orion lifts profit forecast again
Lumen sees Q3 revenue below estimates
Vertex narrows full-year outlook range
Nordwind expects full-year profit at top end of range
Halcyon's weak outlook sends shares lower
Kestrel lowers its sales forecast for the year
Pinewood guides above consensus
Solaris maintains full-year outlook
Tidal slashes forecast as consumers pull back
Marlin issues upbeat guidance
Quanta trims annual sales view
Granite hikes outlook after strong summer
Bluebird suspends guidance amid CEO search
Meridian sets 2030 revenue target of $10bn
Copperfield backs full-year forecast
Zenith now sees fiscal 2025 sales growing 4%`,
  partnership: `
Acme partners with Beta on self-driving trucks
Gamma and Delta form joint venture in India
Omega teams up with Orion for cloud gaming
Lumen signs strategic partnership with Vertex
Nordwind, Halcyon to collaborate on cancer vaccine
Kestrel inks supply deal with Pinewood
Solaris and Tidal announce multi-year alliance
Marlin joins forces with Quanta on hydrogen
Granite extends partnership with NFL
Bluebird selected as technology partner by Meridian
Copperfield in licensing pact with Zenith
Ridgeline signs agreement with Harbor Group to build chargers
Oakline expands collaboration with university hospital
Acme and Beta to co-develop chips
Gamma ties up with Delta in online grocery
Omega signs memorandum of understanding with Saudi fund
Partnership with Orion to bring Lumen to 500 stores
Vertex teams with Nordwind on AI tutoring
Halcyon strikes distribution agreement with Kestrel
Pinewood to partner with Solaris on satellite internet`,
  ipo: `
Acme files for IPO
Beta prices IPO at $21, above range
Gamma shares soar 40% in market debut
Delta plans initial public offering in Hong Kong
Omega to go public through direct listing
Orion postpones IPO amid market turmoil
Lumen seeks valuation of $8bn in New York IPO
Vertex goes public via SPAC
Nordwind confidentially submits draft S-1
Halcyon sets terms for $500 million IPO
Kestrel's public debut falls flat
IPO market thaws as Pinewood lists
Solaris raises $1.2bn in U.S. IPO
Tidal picks banks for planned listing
Marlin begins IPO roadshow
Quanta withdraws its IPO
Granite opens 25% above IPO price
Bluebird eyes going public next year
Meridian upsizes initial public offering
Copperfield makes Nasdaq debut`,
  bankruptcy: `
Acme files for bankruptcy
Beta seeks Chapter 11 protection
Gamma enters administration with loss of 300 jobs
Delta to liquidate after failing to find buyer
Omega emerges from bankruptcy
Orion wins approval of its Chapter 11 plan
Lumen warns of insolvency within weeks
Vertex declared insolvent by German court
Nordwind files for creditor protection in Canada
Halcyon on the brink of bankruptcy, sources say
Kestrel goes bankrupt
Pinewood placed in receivership
Solaris to wind down in Chapter 7
Tidal lenders push for bankruptcy filing
Marlin prepares bankruptcy as debt talks fail
Quanta files Chapter 15 in New York
Granite bankruptcy judge approves asset sale
Bluebird collapses into administration
Meridian bondholders back restructuring in bankruptcy court
Copperfield says it may have to file for Chapter 11`,
  dividend: `
Acme raises quarterly dividend by 8%
Beta declares special dividend of $2 a share
Gamma suspends dividend to save cash
Delta goes ex-dividend on Friday
Omega boosts its payout to shareholders
Orion keeps dividend unchanged
Lumen announces monthly cash dividend
Vertex cuts dividend in half
Nordwind initiates first-ever dividend
Halcyon board approves dividend increase
Kestrel declares quarterly distribution of $0.41 per unit
Pinewood hikes dividend for 40th straight year
Solaris scraps final dividend
Tidal pays interim dividend of 5p
Marlin reinstates dividend
Quanta Energy dividend is safe, CFO says
Granite declares preferred stock dividend
Bluebird increases cash dividend to 30 cents
Meridian to resume dividends next year
Copperfield omits dividend as debt mounts`,
  none: `
Robert M. A. Johnson named to the hall of fame
Customer acquisition costs are rising for online brokers
Oil futures settle at a record high
Stocks settle lower ahead of jobs data
Acme opens a new campus in Austin
Beta names Jane Miller chief marketing officer
Talent acquisition head leaves Gamma
Acme to add 500 jobs in Ohio
Wall Street ends mixed as investors await Fed minutes
Gold slips as the dollar strengthens
Fed chair speaks at Jackson Hole
Delta Air suffers system outage
Five stocks to buy for the long run
Should you buy the dip in chip stocks?
Best Buy workers rally for higher pay
How to use Microsoft Outlook like a pro
Weather forecast: heavy snow hits the Northeast
Gross domestic product grows 2.4% in second quarter
Energy Transfer Partners pipeline restarts after storm
Enterprise Products Partners appoints new general counsel
Legal & General adds London office space
Air Products moves headquarters
Exercise pays dividends in old age, researchers find
The peace dividend is over in Europe
Hospital upgrades its computer network
City upgrades water plant after flood
Airline upgrades cabins on long-haul fleet
Overweight children face higher heart risk
Intelligence analyst tells of years in Kabul
Business Insider moves to new office
Travel insider: where to eat in Rome
Washington insiders expect a long summer
Ambassador recalls his years in Moscow
Russia recalls ambassador from Paris
Rocket launch delayed by wind
SpaceX launches 22 satellites into orbit
North Korea launches missile over Japan
Police launch search for missing hiker
Trial results show drug slows memory loss
Election results delayed in two counties
Average hourly earnings up 0.3% in May
Sales tax holiday starts on Friday
Chapter 11 of her memoir is the most moving
The debate was intellectually bankrupt, critics say
Domestic partnership law takes effect in June
China is the largest trading partner of Australia
Dance partners reunite on television
NATO alliance marks 75 years
Israeli settlements expand in West Bank
Dust settles after a wild week on Wall Street
Family settles in Vermont after flood
School guidance counselor wins award
Missile guidance system fails test
CDC updates guidance on masks
Parental guidance suggested for new film
Scientists investigate origin of cosmic rays
NASA space probe nears Jupiter
Fraud detection startup hires data scientists
Community-acquired pneumonia on the rise
An acquired taste: why durian divides diners
Street takeover ends with a dozen arrests
Artist takes over museum for a week
Cars merge slowly after crash on I-95
University offers buyouts to 200 staff
Teacher buys supplies with her own money
Investors buy gold as war fears grow
Acme buys back $2bn of shares
Woman goes public with her cancer battle
A singer's public debut at age nine
Movie makes its festival debut in Cannes
Insurance payouts climb after hurricane
Lawmaker introduces bill on school meals
Sweden introduces new border checks
Museum unveils portrait of the king
City unveils plan for bike lanes
Bitcoin liquidations top $400 million in a day
Trump administration weighs new tariffs
Wedding form 4 weeks before the date
Apple pie and other comfort food for fall
Nobel prize in physics goes to three
Treasury yields climb after strong auction
Housing starts fall for a third month
Tesla stock is up 8% this week. Here is why
Nvidia shares hit a new high
Why this stock could double by 2030
Football club signs striker with option for a third year
Beta shares fall on heavy volume
Central bank keeps rates unchanged
Gamma chief executive to step down in March
Delta plans to cut 1,200 jobs worldwide
Omega moves production to Mexico
Acme names new chairman
Union votes to strike at Orion plants
Cyberattack disrupts Lumen operations
Fire shuts Vertex refinery
Nordwind joins S&P 500
Kestrel announces 3-for-1 stock split
Pinewood short interest rises
Cat fancier settles into retirement
Olympic judge apologizes to gymnast
Court of public opinion weighs on star
Tennis court built in Central Park
Food bank expects record demand this winter`,
}

/** One labelled headline. */
export interface LabelledHeadline {
  readonly headline: string
  readonly label: CatalystType | 'none'
  /** Not looked at while the patterns were made. */
  readonly isHeldOut: boolean
}

/** All of them; every third is held out. */
export const LABELLED_HEADLINES: readonly LabelledHeadline[] = Object.entries(LABELLED).flatMap(
  ([label, text]) =>
    text
      .trim()
      .split('\n')
      .map((headline, i) => ({
        headline,
        label: label as CatalystType | 'none',
        isHeldOut: i % 3 === 2,
      })),
)
