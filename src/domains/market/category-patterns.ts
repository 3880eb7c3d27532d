/**
 * What headlines of each category say, as expressions over a folded headline (lower case, punctuation
 * kept). A category is an action or a thing in its sense, so most words count only beside others: a
 * `settlement` beside a claim, an `upgrade` to a rating.
 */

const FIGURES_WORD =
  'profits?|loss|losses|income|earnings|results|revenues?|sales|eps|ebitda|ffo|margins?'
const MOVES =
  'rises?|rose|falls?|fell|jumps?|jumped|climbs?|climbed|slides?|slid|drops?|dropped|doubles?|doubled|triples?|tripled|slumps?|slumped|surges?|surged|soars?|soared|grows?|grew|gains?|declines?|declined|dips?|dipped|plunges?|plunged|tumbles?|tumbled|sinks?|sank|up|down|beats?|misses|missed|tops?|topped|narrows?|widens?|shrinks?|comes? in|ahead|short|increases?|increased|decreases?|decreased'
const PERIOD =
  "(?:first|second|third|fourth|1st|2nd|3rd|4th|last|latest|holiday)[ -](?:quarter|half)|quarterly|annual|full[ -]year|half[ -]year|interim|[qh][1-4]|[1-4][qh]|fiscal|fy ?'?(?:20)?\\d\\d|20\\d\\d|year[ -]end"
const EXPECTED =
  "(?:(?:wall )?street(?:'s)?|analysts?'?|consensus|market|quarterly|earnings|profit|revenue|sales|eps|q[1-4]|lowered|the)?[ -]?(?:estimates?|expectations?|forecasts?|consensus|views?|targets?|wall street|street)"
const RATING =
  '(?:strong[ -])?(?:buy|sell|hold)|neutral|overweight|underweight|outperform|underperform|equal[ -]?weight|market perform|sector perform|junk|investment grade'
const OFFICER =
  'ceo|cfo|coo|cto|chief \\w+ officer|(?:vice[ -])?president|chair(?:man|woman|person)?|directors?|officer|executive|founder|board members?|insiders?|10% owner|evp|svp|general counsel'
const BROKERS =
  "goldman(?: sachs)?|morgan stanley|jp ?morgan|barclays|citi(?:group)?|ubs|wells fargo|deutsche bank|bofa|bank of america|jefferies|bernstein|evercore|wedbush|piper sandler|oppenheimer|stifel|raymond james|credit suisse|hsbc|rbc|bmo|mizuho|needham|cowen|keybanc|moody's|s&p|fitch"
const AGENCY = 'u\\.?s\\.?|federal|state|eu|european|uk'
const TRIBUNAL =
  'court|judges?|jury|jurors|justices|tribunal|prosecutors?|attorney general|doj|justice department|sec|ftc|cftc|regulators?'
const any = (...patterns: string[]): RegExp =>
  new RegExp(`(?<![\\p{L}\\p{N}])(?:${patterns.join('|')})(?![\\p{L}\\p{N}])`, 'u')

/** An expression that tells a category, after what `except` matches has been taken out. */
export interface CategoryPattern {
  readonly match: RegExp
  readonly except?: RegExp
}

const except = (...patterns: string[]): RegExp =>
  new RegExp(`(?<![\\p{L}\\p{N}])(?:${patterns.join('|')})(?![\\p{L}\\p{N}])`, 'gu')

/** In the order in which ties between categories of equal weight are decided. */
export const CATEGORY_PATTERNS = {
  earnings: {
    match: any(
      'earnings',
      'eps',
      'net income',
      '(?:operating|net|pre-?tax|underlying|core|adjusted|trading) (?:profits?|loss|losses|income|earnings)',
      `(?:${PERIOD})(?:[ ,:'’s-]+[\\p{L}\\p{N}-]+){0,2}[ ,:-]+(?:${FIGURES_WORD})`,
      `(?:profits?|revenues?|loss|same-store sales|comparable sales|like-for-like sales|sales) (?:[\\p{L}\\d%.]+ ){0,2}?(?:${MOVES})`,
      `(?:posts?|posted|reports?|reported|books?|swings? to|swung to|returns? to|narrows?|narrowed|widens?|widened) (?:an? |its )?(?:[\\p{L}-]+ ){0,3}(?:profits?|loss|losses|income|earnings|results|revenues?)`,
      `(?:beats?|misses|missed|tops?|topped|topping|exceeds?|meets?|trails?|trailed|surpass(?:es|ed)?|above|below|short of) ${EXPECTED}`,
      'profit warning',
      '(?:interim|annual|quarterly) report',
      '(?:financial|annual|quarterly|interim|full[ -]year|half[ -]year) results',
      'results',
    ),
    except: except(
      '(?:sees?|expects?|forecasts?|guides?|guided|projects?|anticipates?|warn(?:s|ed|ing)? (?:of|on|about)|raise[sd]?|raising|cuts?|cutting|trim(?:s|med)|lower(?:s|ed)?|lift(?:s|ed)?|set(?:s)?|hike[sd]?|slash(?:es|ed)|boost(?:s|ed)?|back(?:s|ed)?|reaffirm(?:s|ed)?|maintain(?:s|ed)?|narrow(?:s|ed)?|withdraw(?:s|n)?|withdrew|issue[sd]?) (?:[\\p{L}\\d-]+ ){0,4}?(?:revenues?|sales|profits?|earnings|eps|results)(?: (?:view|forecasts?|outlook|guidance|targets?)| (?:[\\p{L}\\d-]+ ){0,2}?(?:below|above|in line)(?: [\\p{L}]+){0,2})?(?! (?:rises?|falls?|rose|fell|warning))',
      "(?:trial|study|test|election|poll|exam|survey|vote|voting|search|clinical|phase \\S+|late-stage|mid-stage|trial's|lab|match|race|league|referendum) (?:\\w+ )?results",
      'results (?:of|from|show|suggest|in|are|delayed) ?(?:the |a |an )?(?:trial|study|test|election|poll|survey|vote|two|drug)?',
      '(?:average |real |median )?(?:hourly|weekly) earnings',
      'price[ -]to[ -]earnings',
      'lost earnings',
      '(?:stock|share|insider|art|bake|garage|yard) sales',
      '(?:retained|immigrant|lifetime) earnings',
      'earnings ratio',
    ),
  },
  fda: {
    match: any(
      "f\\.?d\\.?a\\.?(?:'s)?",
      'food (?:and|&) drug administration',
      '(?:health|drug|medicines?) (?:regulators?|agency) (?:approves?|clears?|backs|rejects?|okays|authori[sz]es)',
      'pdufa',
      '(?:investigational |abbreviated )?new drug application',
      'biologics licen[sc]e',
      'complete response letter',
      'clinical hold',
      'fast[ -]track (?:designation|status|review)',
      'breakthrough (?:therapy|device)',
      'orphan[ -]drug',
      'emergency use',
      'drug approval',
      'premarket approval',
      '510 ?\\(?k\\)?',
    ),
  },
  merger: {
    match: any(
      'mergers?',
      `(?:merges?|merged|merging) (?:with|into|to (?:form|create|make|become))|(?:to|may|could|will|shareholders|agree to) merge`,
      'merge(?:$| in | as |,)',
      '(?:to|will|may|could|would|agrees? to) take over',
      "(?:snaps?|snapped|snapping) up (?:[\\p{L}\\p{N}'’-]+ ){0,4}?(?:start-?up|rival|\\p{L}*maker|firm|company|business|lender|bank)",
      '(?:acquires?|acquiring)(?! taste| rights| land| skills| immunity)',
      '(?:to|will|may|could|would|completes? deal to|agrees? to|talks to|deal to) acquire',
      'acquired (?:by|for)',
      `has acquired`,
      'acquisitions?',
      'm ?(?:&|&amp;|and) ?a',
      '(?:hostile|unsolicited|rival|takeover|sweetened|buyout|all-cash|cash|bidding|joint|improved|raised?) (?:takeover )?(?:bids?|offers?|approach|war)',
      'takeovers?',
      'buyouts?',
      'tender offer',
      '(?:go(?:es|ing)?|taken?|taking|takes) (?:\\p{L}+ )?private',
      'bids? for',
      `(?:sweetens?|raises?|improves?|withdraws?|drops?|extends?|launches|makes?|rejects?|spurns?) (?:its |an? |\\p{L}+ )?(?:\\p{L}+ )?(?:bid|offer) (?:for|from)`,
      'all-(?:stock|cash|share) deal',
      'sale of (?:the |its )?(?:company|business|unit|division|subsidiary|arm)',
      `(?:to sell|sells?|sold|selling|sale of|spins? off|spin off|divests?|offloads?) (?:its |an? |the )?(?:[\\p{L}\\p{N}'’-]+ ){0,4}?(?:units?|business(?:es)?|division|subsidiary|arm)`,
      'strategic alternatives',
    ),
    except: except(
      '(?:customer|user|subscriber|client|talent|data|language|land|knowledge|student|member|signal|image|target|lead|property|player|skill|fan) acquisitions?(?: costs?)?',
      'acquisition (?:costs?|editor|funnel|channel|officer|loan)',
      '(?:street|instagram|social media|kitchen|airport|campus|hostile work|pitch) takeovers?',
      '(?:offers?|takes?|accepts?|voluntary|employee|worker|staff|contract|teacher|faculty) (?:\\p{L}+ )?buyouts?',
      'buyouts? (?:to|for) (?:\\d[\\d,]* )?(?:staff|employees|workers|journalists|players|teachers|reporters)',
      '(?:cars?|lanes?|traffic|drivers?|worlds|styles|galaxies|black holes) (?:\\p{L}+ )?merg(?:e|es|ing)(?: \\p{L}+)?',
      'mergers? of (?:art|arts|science|music|style|styles|fashion|sport|sports|cultures?|minds|food|technology|galaxies|black holes)',
    ),
  },
  analyst: {
    match: any(
      "analysts?(?:'s?|'?)?",
      `(?:upgrad|downgrad)(?:es?|ed) (?:[\\p{L}\\p{N}&.'’-]+ ){0,4}?(?:to|from|at|by|on|stock|shares|rating|outlook)`,
      `(?:double-)?downgrad(?:es?|ed|ing)`,
      `(?:${BROKERS}) (?:double-)?upgrad(?:es?|ed)`,
      '(?:price[ -]targets?|pt (?:raised|cut|lowered|boosted|to)|(?:lifts?|raises?|cuts?|lowers?|boosts?|trims?) (?:\\S+ ){0,3}pt)',
      '(?:initiat|resum|assum|reinstat)(?:es?|ed|ing) (?:\\S+ ){0,3}?(?:coverage|at)',
      'coverage (?:initiated|resumed|started)',
      `(?:reiterat|maintain|reaffirm|keep|affirm)(?:s|es|ed)? (?:at )?(?:${RATING})`,
      `(?:${RATING}|credit|last|street-high) (?:sell |buy )?(?:rating|price target)s?`,
      `(?:cut|raised|lowered|lifted|rated|starts?|started|moved?|moves|double-downgraded|downgraded|upgraded) (?:\\S+ ){0,3}?(?:to|at|as)? ?(?:a |an )?(?:${RATING})`,
      `(?:${BROKERS}) (?:cuts?|raises?|starts?|adds?|names?|lifts?|lowers?|reiterates?|maintains?|rates?|upgrades?|downgrades?)`,
      'outperform rating',
      'top picks?',
      'conviction (?:buy )?list',
    ),
    except: except(
      `(?:intelligence|data|business|system|systems|political|military|crime|research|budget|policy|behavior|handwriting|quality) analysts?`,
      "analyst(?:s'?|'s)? day",
      "analysts?'?'?s? (?:estimates?|expectations?|forecasts?|consensus|views?)",
      `upgrad(?:es?|ed|ing) (?:its |their |the |to |[\\p{L}-]+ ){0,3}?(?:network|software|system|systems|plants?|factory|fleet|cabins?|infrastructure|grid|computers?|windows|5g|version|stations?|stores?|services?|app|equipment|facilit(?:y|ies)|warehouses?|website|servers?|kitchen)`,
      'overweight (?:children|kids|people|patients|adults|teens|women|men|pets|trucks?)',
    ),
  },
  insider: {
    match: any(
      'insiders? (?:is |are )?(?:buy(?:s|ing)?|bought|sell(?:s|ing)?|sold|trad(?:es?|ing)|dump(?:s|ing|ed)?|purchas(?:es?|ing|ed)|transactions?|unload(?:s|ing|ed)?|offload(?:s|ed)?|snap(?:s|ped)? up|add(?:s|ed)?|sales?|ownership|stock|shares|scoop(?:s|ed)?)',
      '(?:large|big|cluster|new) insider',
      'form 4(?! (?:weeks?|days?|years?|months?|teams?|groups?|lines?|bands?))',
      `(?:${OFFICER})(?: [\\p{Lu}\\p{L}.'-]+){0,3}? (?:has |is |are )?(?:buys?|buying|bought|sells?|selling|sold|purchas(?:es?|ed)|acquires?|acquired|dumps?|dumped|disposes?|disposed|unloads?|unloaded|offloads?|offloaded|snaps? up|snapped up|adds?|scoops? up)(?: [^ ]+){0,6}? (?:shares?|stock|stake|options|million)`,
    ),
    except: except(
      'business insider',
      'insider threats?',
      'insider trading (?:case|charges?|probe|trial|scandal|law|rules?)',
    ),
  },
  legal: {
    match: any(
      '(?:law)?suits?(?! (?:up|jacket|and tie))',
      'sues?',
      'sued',
      'suing',
      'class[ -]action',
      'litigation',
      'anti-?trust',
      'injunction',
      `settles? (?:[\\p{L}\\p{N}&.'’-]+ ){0,4}?(?:suits?|lawsuits?|cases?|claims?|charges?|disputes?|probes?|allegations?|litigation|action|with)`,
      `(?:agrees?|agreed|offers?|moves?|near|close) to settle`,
      `(?:reach(?:es|ed)?|in|to pay|agrees? (?:to|on)|approves?|pays?|legal|court|opioid|privacy|\\$[\\d.]+ ?(?:bn|billion|m|million)) (?:[\\p{L}\\p{N}&$.'’-]+ ){0,3}?settlements?`,
      `settlements? (?:with|over|in|of) (?:[\\p{L}\\p{N}&.'’-]+ ){0,4}?(?:claims?|case|suit|department|ftc|sec|doj|states?|lawsuits?|shareholders|investors|plaintiffs|charges?|opioid|probe)`,
      `(?:${TRIBUNAL}) (?:[\\p{L}]+ )?(?:opens?|launch(?:es|ed)?|investigat(?:es?|ing|ed)|prob(?:es?|ing|ed)|sues?|charges?|charged|fines?|fined|rules?|ruled|ruling|dismiss(?:es|ed)?|rejects?|rejected|finds?|found|upholds?|overturns?|revives?|blocks?|blocked|orders?|ordered|sides?|approves? settlement|backs|tosses|denies)`,
      'court (?:ruling|order|case|battle|fight)',
      '(?:supreme|appeals|district|federal|high) court',
      `(?:faces?|opens?|opened|launch(?:es|ed)?|under|widens?|expands?|drops?|ends?|begins?|starts?|into|joins?|target of|criminal|federal|${AGENCY}|antitrust|doj|sec|bribery|tax|safety|fraud) (?:[\\p{L}.]+ ){0,2}?(?:investigations?|probe|probes|inquiry)`,
      `investigations? (?:into|over|of) (?!origin)`,
      `investigat(?:es?|ing|ed) (?:[\\p{L}\\p{N}&.'’-]+ ){1,4}?(?:for|over|on behalf)`,
      `(?:${TRIBUNAL})(?: [\\p{L}]+)? investigat(?:es?|ing)`,
      'subpoena(?:s|ed)?',
      'indict(?:s|ed|ments?)',
      'plead(?:s|ed)? (?:not )?guilty',
      'found guilty',
      'verdict',
      '(?:accounting|securities|wire|tax|bank|investor|with|of|for|criminal|billing|alleged|civil) (?:[\\p{L}]+ )?fraud',
      'fraud (?:charges?|case|claims?|trial|suit|probe|allegations?|scheme)',
      '(?:is |was |been |be )?fined (?:a |record )*[$€£]?\\d[\\d.,]*',
      '(?:to pay|pays?|faces?|hit with|gets?) (?:\\S+ ){0,3}?(?:fine|penalty|penalties)',
      '(?:patent|trademark|copyright)s? (?:infringement|case|suit|trial|dispute|fight|battle|ruling|claims?|law)',
      `(?:loses?|wins?|rejects?|files?) (?:[\\p{L}'’]+ )?appeal`,
      '(?:charged|charges \\S+) with',
      'attorney general',
      'liable',
      'trade secrets?',
      'price[ -]fixing',
      'insider trading (?:case|charges?|probe|trial|scandal)',
    ),
    except: except(
      'fraud (?:detection|prevention|protection)',
      'space probes?',
      'suits? (?:of armor)',
      "(?:follow(?:s|ed|ing)?|wet|space|swim|business|tailored|men's|mens) suits?",
      'suits? (?:sales?|makers?|retailer|jackets?)',
      'suits? (?:your|you|every|all|any|best|perfectly|well)',
    ),
  },
  product: {
    match: any(
      'unveil(?:s|ed|ing)',
      `(?:launch(?:es|ed|ing)?|introduc(?:es?|ed|ing)|rolls? out|rolled out|rolling out|debuts|debuted|shows? off|showcases?)`,
      'recall(?:s|ed|ing)?',
      '(?:next-generation|new|latest|upcoming|updated|redesigned|cheaper|flagship) (?:[\\p{L}\\p{N}-]+ ){0,2}?(?:products?|models?|version|line(?:up)?|devices?|phones?|smartphones?|iphone|tablets?|laptops?|headset|chips?|processors?|console|app|server|car|suv|sedan|truck|ev|software|drug|plane|jet)',
      'product (?:launch|line|line-?up|lineup|recall|rollout|roadmap|range|portfolio|release|update|pipeline|event)s?',
      'new products?',
      `(?:releases?|announces?|discontinues?|(?:starts?|begins?) (?:shipping|selling)|to release) (?:its |an? |the |\\p{L}+ )?(?:new|latest|next|plant-based|first|entry-level|second|upgraded)`,
      '(?:goes|go|went) on sale',
      '(?:hits?|hit) (?:stores|shelves|the market)',
    ),
    except: except(
      `(?:launch(?:es|ed|ing)?|unveil(?:s|ed|ing)|introduc(?:es?|ed|ing)|rolls? out) (?:its |an? |the |new |[\\p{L}\\p{N}$.-]+ ){0,5}?(?:probes?|investigations?|lawsuits?|suits?|bids?|offers?|takeover|ipo|search|manhunt|attacks?|strikes?|rockets?|missiles?|satellites?|campaigns?|buybacks?|repurchase|reviews?|inquiry|bills?|legislation|controls?|portrait|plans? (?:for|to)|rules?|sanctions|tariffs|budget|statue|appeal|hunt|drive|strategy|coverage|fund|proxy|process|raid|offensive)`,
      '(?:rocket|missile|satellite|shuttle) launch(?:es|ed)?',
      '(?:introduc(?:es?|ed)|launch(?:es|ed)) (?:new )?(?:border|visa|tax|safety|security) ?\\p{L}*',
      `recall(?:s|ed|ing)? (?:its |the |his |her |their |\\p{L}+ )?(?:ambassadors?|envoys?|diplomats?|years|days?|times?|memor(?:y|ies)|childhood|moments?|workers|employees|how|when|being|troops|reservists)`,
      'recall (?:election|vote|petition|effort|campaign)',
      'total recall',
    ),
  },
  guidance: {
    match: any(
      'guidance',
      `(?:profit|sales|revenue|earnings|full[ -]year|annual|fiscal(?: \\d{4})?|fy ?\\d*|20\\d\\d|q[1-4]|growth|margin|delivery|weak|upbeat|soft|strong|cautious|gloomy|bleak|rosy|dim|its|hikes|boosts|raises|cuts|lowers|lifts|slashes|trims|reaffirms|backs|maintains) (?:[\\p{L}\\d-]+ )?(?:outlook|forecasts?|view)`,
      `(?:rais(?:es?|ed|ing)|cuts?|cutting|lower(?:s|ed|ing)?|boost(?:s|ed)?|trim(?:s|med)?|withdraw(?:s|n)?|withdrew|reiterat(?:es?|ed)|maintain(?:s|ed)?|narrow(?:s|ed)?|updat(?:es?|ed)|hik(?:es?|ed)|slash(?:es|ed)?|lift(?:s|ed)?|affirm(?:s|ed)?|reaffirm(?:s|ed)?|backs|backed|keeps|issues?|issued|sets?|suspends?|pulls?|scraps?) (?:[\\p{L}\\d'’-]+ ){0,4}?(?:guidance|outlook|forecasts?|view|target of|revenue target|profit target|sales target)`,
      `warn(?:s|ed|ing)? (?:of |on |about |that )(?:[\\p{L}\\d'’-]+ ){0,3}?(?:profits?|sales|revenues?|earnings|margins?|results|demand)`,
      `(?:now )?(?:sees?|expects?|forecasts?|projects?|anticipates?) (?:its |a |an )?(?:[\\p{L}]+ ){0,2}?(?:fiscal|fy ?\\d*|q[1-4]|full[ -]year|annual|20\\d\\d|(?:first|second|third|fourth|current)[ -](?:quarter|half)|sales|revenues?|profits?|earnings)`,
      'guides (?:above|below|to|for|up|down|higher|lower|q[1-4]|fy)',
      `outlook (?:disappoints|misses|tops|beats|cut|raised|weighs|lifts|sends)`,
      `(?:'s|s'|’s) (?:[\\p{L}-]+ )?outlook`,
    ),
    except: except(
      `(?:parental|school|career|missile|spiritual|health|draft|travel|cdc|fda|mask|legal|vocational|updated?|updates|safety|tax|regulatory|joint) guidance(?: on)?`,
      'guidance (?:counsel\\p{L}*|system|document|on|for (?:schools|parents|doctors))',
      '(?:microsoft|ms) outlook',
      `(?:weather|hurricane|snow|storm|rain|economic|gdp|imf|inflation|pollen) (?:[\\p{L}]+ )?(?:outlook|forecasts?)`,
      "(?:beats?|misses|missed|tops?|topped|exceeds?) (?:[\\p{L}'’]+ ){0,2}?forecasts?",
    ),
  },
  partnership: {
    match: any(
      '(?:strategic|technology|multi-?year|exclusive|new|global|signs?|announces?|expands?|extends?|forms?|in|ends?|enters?|long-term|marketing|research|retail|commercial|of|into) (?:[\\p{L}-]+ )?partnerships?',
      'partnerships? (?:with|to|between)',
      'partner(?:s|ed|ing)? (?:up )?(?:with|to|on|for)',
      '(?:technology|strategic|exclusive|preferred|launch|official|development|manufacturing|distribution|commercial) partners?',
      'join(?:s|ed)? forces',
      'team(?:s|ed|ing)?(?: up)? with',
      'team(?:s|ed|ing)? up',
      'joint (?:venture|development)',
      'collaborat(?:es?|ed|ing|ions?)',
      `(?:strategic|multi-?year|new|form(?:s|ed)?|announces?|global) (?:[\\p{L}-]+ )?alliances?`,
      '(?:ties?|tied|tie) up with',
      `(?:sign(?:s|ed)?|ink(?:s|ed)?|strikes?|struck|announces?|enters?|into|wins?|seals?|extends?|in) (?:an? |its |new |[\\p{L}-]+ ){0,3}?(?:agreement|pact|deal|contract|memorandum of understanding|mou) (?:with|between)`,
      'co-?develop(?:s|ed|ing|ment)?',
    ),
    except: except(
      '(?:domestic|limited|civil|general|public-private|law) partnerships?(?: law)?',
      `(?:trading|dance|business|ex|sex|life|law|romantic|domestic|former|sparring|managing|senior|equity|bridge) ?-?partners?(?: of| reunite| at| to)?`,
      `partners? (?:lp|l\\.p\\.|llc|llp|inc|plc|group|capital)`,
      '(?:nato|military|opposition|ruling|rebel|security|defen[cs]e|political|populist) alliances?',
      'peace (?:deal|agreement|pact) with',
      '(?:labor|plea|trade|ceasefire|merger|acquisition|settlement) (?:deal|agreement|contract|pact) with',
    ),
  },
  ipo: {
    match: any(
      'ipos?',
      "ipo's",
      'initial public offerings?',
      '(?:goes|go|going|went|gone) public(?! (?:with|about) (?:her|his|their|its|the|cancer|allegations|claims|a|battle|details))',
      '(?:market|public|trading|stock market|nasdaq|nyse|wall street|first-day|exchange) debut',
      'debut on (?:the )?(?:nasdaq|nyse|new york stock exchange|stock exchange)',
      '(?:direct|planned|dual|stock market|new york|hong kong|london|u\\.?s\\.?|nasdaq|nyse) listing',
      '(?:files?|plans?|seeks?|set) to list',
      's-1',
    ),
    except: except(
      "(?:singer|band|artist|actor|pianist|film|child|her|his|baby|royal|panda|'s)(?:'s|’s)? (?:first )?public debut(?: at)?",
      'public debut (?:at age|of the (?:baby|prince|princess|panda))',
    ),
  },
  bankruptcy: {
    match: any(
      'bankruptcy',
      'bankruptcies',
      '(?:go(?:es)?|went|going|declared?|nearly|file(?:s|d)?) bankrupt',
      'bankrupt(?! of)',
      `chapter (?:7|11|15)(?! (?:of|and|is|was|page))(?!:)`,
      'insolven(?:cy|t)',
      'creditor protection',
      '(?:to liquidate|be liquidated|liquidates?(?! (?:position|stake|holdings))|in liquidation|into liquidation|liquidation (?:plan|of (?:company|assets)))',
      '(?:into|enters?|entered|in|out of) (?:voluntary )?administration',
      '(?:into|enters?|in) receivership',
      'debt restructuring',
    ),
    except: except(
      '(?:morally|intellectually|spiritually|creatively|politically|ethically) bankrupt',
      'bankrupt (?:ideas|of ideas|ideology|policies|policy)',
      'liquidation sale',
      '(?:moral|intellectual|spiritual|creative|political|ethical) bankruptcy',
      '(?:biden|trump|obama|clinton|bush|new|next|current) administration',
      "'s administration",
    ),
  },
  dividend: {
    match: any(
      '(?:ex-)?dividends?',
      '(?:quarterly|monthly|cash|special|annual) (?:cash )?distributions?',
      '(?:boosts?|raises?|cuts?|lifts?|hikes?|its|shareholder|increases?|slashes|suspends?|trims?) (?:\\p{L}+ )?payouts?',
    ),
    except: except(
      '(?:peace|demographic|democracy|digital|green) dividends?',
      'dividend (?:avenue|street|road|lane|drive|park)',
      '(?:pay|pays|paid|paying|reap|reaps) (?:\\p{L}+ )?dividends(?! (?:to|of|on))',
      '(?:insurance|lottery|jackpot|settlement|claims?|disaster) payouts?',
    ),
  },
} as const satisfies Readonly<Record<string, CategoryPattern>>

/** Words of which a headline has one at least when a category's expression can match. */
export const CATEGORY_STEMS: Readonly<Record<keyof typeof CATEGORY_PATTERNS, string>> = {
  earnings:
    'earn eps net oper pre under core adjust profit revenue sales loss result quarter annual full half interim fiscal report beat miss top exceed meet trail surpass above below short q1 q2 q3 q4 1q 2q 3q 4q h1 h2 first second third fourth swing',
  fda: 'fda f pdufa drug biologic response hold fast breakthrough orphan emergency premarket 510 510k food application health medicine',
  merger:
    'merg acqui m ma take takeover snap bid bids buyout tender private offer sell sells sold sale spin divest offload deal strategic approach buys buy buying bought',
  analyst:
    'analyst upgrad downgrad double target pt coverage initiat resum assum reinstat rating rated reiterat maintain overweight underweight outperform underperform buy sell hold neutral pick conviction cut cuts raise lower start starts add adds name names lift lifts equal market weight goldman jpmorgan citi barclays',
  insider:
    'insider form ceo cfo coo cto chief president chair chairman chairwoman director officer executive founder co board owner evp svp counsel 10',
  legal:
    'suit lawsuit sue sues sued suing class litigat antitrust anti injunction settl court judge jury juror justice tribunal prosecutor attorney doj sec ftc cftc regulator investigat probe inquir subpoena indict plead guilty verdict fraud fine penalt patent trademark copyright appeal charged charges liable trade price insider',
  product:
    'unveil launch introduc roll rolls rolled rolling debut show shows showcas recall product new latest next upcoming updated redesigned cheaper flagship releas announc discontinu start begin sale hit hits',
  guidance: 'guid outlook forecast view target warn see sees expect project anticipat now',
  partnership:
    'partner join team joint collaborat alliance tie ties tied sign ink strike struck enter agreement pact contract mou memorandum deal co codevelop',
  ipo: 'ipo ipos initial public debut listing list s',
  bankruptcy: 'bankrupt chapter insolven creditor liquidat administration receivership restructur',
  dividend: 'dividend distribution payout',
}
