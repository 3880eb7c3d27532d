/**
 * What two tellings of one story cannot both say: on each axis a word stands on one side, `+` or `-`, or
 * between (`0`). Verbs are listed by their base form, other words as they are.
 *
 * Sources: the tone words of E. Henry, "Are Investors Influenced By How Earnings Press Releases Are
 * Written?", Journal of Business Communication 45 (2008), as far as they name a result or a movement;
 * beside them the verbs of market reports and the opposites of this domain (ratings, approvals, offers).
 */
const AXES = {
  result: {
    '+': {
      verbs: 'beat exceed surpass outpace crush smash outdo',
      words: 'tops topped topping above',
    },
    '-': { verbs: 'miss lag undershoot trail disappoint', words: 'below' },
    '0': { verbs: 'meet match', words: 'inline' },
  },
  change: {
    '+': { verbs: 'raise lift boost hike increase expand double triple', words: 'increase' },
    '-': { verbs: 'cut lower slash trim reduce decrease halve shrink', words: 'reduction' },
    '0': { verbs: 'maintain reaffirm reiterate keep affirm continue extend', words: 'unchanged' },
  },
  move: {
    '+': {
      verbs:
        'rise gain climb jump surge soar rally rebound spike skyrocket increase grow recover pop improve strengthen accelerate',
      words: 'up higher plus upward better stronger rocketed advances advancing',
    },
    '-': {
      verbs:
        'fall drop decline slip slide tumble plunge sink dip slump plummet retreat crash decrease dive shed weaken worsen deteriorate sag stumble skid slow',
      words: 'down lower minus downward worse weaker downturn slowdown',
    },
    '0': { verbs: '', words: 'flat steady' },
  },
  level: {
    '+': { verbs: 'peak', words: 'high highs highest' },
    '-': { verbs: '', words: 'low lows lowest' },
  },
  verdict: {
    '+': {
      verbs: 'approve clear authorize authorise grant endorse greenlight',
      words: 'approval clearance authorization',
    },
    '-': { verbs: 'reject disapprove veto block ban prohibit deny', words: 'rejection denial' },
  },
  consent: {
    '+': {
      verbs: 'accept approve allow permit support agree embrace welcome ratify uphold',
      words: 'acceptance',
    },
    '-': {
      verbs: 'reject refuse rebuff spurn oppose decline block ban deny dismiss overturn',
      words: 'rejection refusal',
    },
  },
  contest: {
    '+': { verbs: 'win secure clinch', words: 'victory' },
    '-': { verbs: 'lose', words: 'defeat' },
  },
  earned: {
    '+': { verbs: 'profit', words: 'profitable surplus growth' },
    '-': { verbs: '', words: 'loss losses unprofitable deficit' },
  },
  rating: {
    '+': { verbs: 'upgrade outperform', words: 'overweight bullish' },
    '-': { verbs: 'downgrade underperform', words: 'underweight bearish' },
    '0': { verbs: '', words: 'neutral' },
  },
  trade: {
    '+': { verbs: 'buy acquire purchase', words: 'acquisition purchase' },
    '-': { verbs: 'sell divest', words: 'sale divestiture' },
    '0': { verbs: 'hold', words: '' },
  },
  staff: {
    '+': { verbs: 'hire appoint join recruit name', words: 'hiring' },
    '-': {
      verbs: 'fire oust leave resign quit depart',
      words: 'layoff layoffs departure exit sacked sacks',
    },
  },
  doors: {
    '+': { verbs: 'open reopen start begin resume launch', words: '' },
    '-': { verbs: 'close shut shutter end stop halt suspend', words: 'closure shutdown' },
  },
  tone: {
    '+': { verbs: 'succeed', words: 'strong positive success successful robust solid optimistic' },
    '-': { verbs: '', words: 'weak negative failure poor soft pessimistic' },
  },
  policy: {
    '+': { verbs: 'tighten', words: 'hawkish' },
    '-': { verbs: 'ease loosen', words: 'dovish' },
  },
  court: {
    '+': { verbs: 'acquit', words: 'innocent' },
    '-': { verbs: 'convict', words: 'guilty' },
  },
} as const

const IRREGULAR: Readonly<Record<string, string>> = {
  beat: 'beaten',
  rise: 'rose risen',
  grow: 'grew grown',
  fall: 'fell fallen',
  sink: 'sank sunk',
  shrink: 'shrank shrunk',
  undershoot: 'undershot',
  dive: 'dove',
  shed: '',
  win: 'won',
  lose: 'lost',
  buy: 'bought',
  sell: 'sold',
  hold: 'held',
  keep: 'kept',
  leave: 'left',
  begin: 'began begun',
  shut: '',
  meet: 'met',
  uphold: 'upheld',
  lend: 'lent',
}

/** A verb in all its forms; a few that do not exist do no harm. */
function formsOf(verb: string): string[] {
  const stem = verb.replace(/e$/, '')
  const soft = verb.replace(/y$/, 'i')
  const isY = /[^aeiou]y$/.test(verb)
  const doubled = verb + verb.slice(-1)
  return [
    verb,
    isY ? `${soft}es` : /(?:s|x|sh|ch)$/.test(verb) ? `${verb}es` : `${verb}s`,
    isY ? `${soft}ed` : `${stem}ed`,
    `${isY ? verb : stem}ing`,
    `${doubled}ed`,
    `${doubled}ing`,
    ...(IRREGULAR[verb] ?? '').split(' '),
  ]
}

const listOf = (text: string): string[] => text.split(' ').filter((word) => word !== '')

/** The axes, in the order of their bits. */
export const AXIS_NAMES: readonly string[] = Object.keys(AXES)

const SIDES = ['+', '-', '0'] as const

/** Three bits for each axis, ten axes in a word. */
const AXES_PER_WORD = 10

/** Sides taken, three bits for each axis, so that two headlines are compared at once. */
export interface Sides {
  readonly first: number
  readonly rest: number
}

const STANDS: ReadonlyMap<string, readonly string[]> = standsByWord()

function standsByWord(): Map<string, string[]> {
  const stands = new Map<string, string[]>()
  for (const [axis, sides] of Object.entries(AXES)) {
    for (const [side, { verbs, words }] of Object.entries(sides)) {
      for (const word of new Set([...listOf(verbs).flatMap(formsOf), ...listOf(words)])) {
        if (word !== '') stands.set(word, [...(stands.get(word) ?? []), `${axis}${side}`])
      }
    }
  }
  return stands
}

const NONE: readonly string[] = []

/** Where a word stands, such as `result+`; on several axes where it has several meanings. */
export const standsOf = (word: string): readonly string[] => STANDS.get(word) ?? NONE

/** No side on any axis. */
export const NO_SIDES: Sides = { first: 0, rest: 0 }

/** The bits of stands. */
export function sidesOf(stands: readonly string[]): Sides {
  if (stands.length === 0) return NO_SIDES
  let [first, rest] = [0, 0]
  for (const stand of stands) {
    const axis = AXIS_NAMES.indexOf(stand.slice(0, -1))
    const side = SIDES.findIndex((name) => stand.endsWith(name))
    const bit = 1 << (3 * (axis % AXES_PER_WORD) + side)
    if (axis < AXES_PER_WORD) first |= bit
    else rest |= bit
  }
  return { first, rest }
}

/** The first axis on which both take a side, and not the same one; -1 if there is none. */
export function opposedAxis(a: Sides, b: Sides): number {
  if (a.first !== b.first) {
    const axis = opposedIn(a.first, b.first)
    if (axis >= 0) return axis
  }
  if (a.rest === b.rest) return -1
  const axis = opposedIn(a.rest, b.rest)
  return axis < 0 ? -1 : axis + AXES_PER_WORD
}

function opposedIn(a: number, b: number): number {
  for (let axis = 0; axis < AXES_PER_WORD; axis++) {
    const [ofA, ofB] = [(a >>> (3 * axis)) & 7, (b >>> (3 * axis)) & 7]
    if (ofA !== 0 && ofB !== 0 && ofA !== ofB) return axis
  }
  return -1
}

/** The bits of the sides taken on one axis. */
export const sideOn = ({ first, rest }: Sides, axis: number): number =>
  ((axis < AXES_PER_WORD ? first : rest) >>> (3 * (axis % AXES_PER_WORD))) & 7

/** Words that turn a statement around; when only one of two headlines has one, they contradict. */
const NEGATIONS: ReadonlySet<string> = new Set([
  ...listOf('not no never cannot without neither nor unlikely unable false failure'),
  ...listOf('cant wont isnt arent doesnt dont didnt wasnt werent hasnt havent wouldnt couldnt'),
  ...listOf('withdrew withdrawn shelved'),
  ...listOf(
    'fail deny refuse cancel scrap abandon withdraw delay postpone terminate halt suspend avoid revoke retract rescind',
  ).flatMap(formsOf),
])

/** Whether a word turns a statement around. */
export const isNegation = (word: string): boolean => NEGATIONS.has(word)

/**
 * Words that say something else than any other word in their place, beside those that stand on an axis:
 * `rules for` and `rules against`, `emerges from` and `enters bankruptcy`.
 */
const TELLING: ReadonlySet<string> = new Set([
  ...listOf(
    'for against before after over under without off out until despite least most less few fewer',
  ),
  ...listOf('none nobody nothing all first last former next new old half twice'),
  ...listOf(
    'void reverse vacate enter emerge exit include exclude add remove dump load charge sue settle please delight anger worry back defy widen narrow contract file pass defeat arm free arrest release import export borrow lend',
  ).flatMap(formsOf),
])

/** A grade of a credit rating with its sign as a word. */
const GRADE = /^(?:a{1,3}|b{1,3}|c{1,3}|d)(?:plus|minus)$/

/** Whether a word in the place of another makes it another statement. */
export const isTelling = (word: string): boolean =>
  TELLING.has(word) || NEGATIONS.has(word) || GRADE.test(word)
