import { defineDomain } from '../../mcp/define.js'
import * as barResources from './bars.resources.js'
import * as barTools from './bars.tools.js'
import * as clockResources from './clock.resources.js'
import * as newsResources from './news.resources.js'
import * as newsTools from './news.tools.js'

/** News and what follows from it; its service is `NewsService`. */
export const news = defineDomain({ name: 'market', tools: newsTools, resources: newsResources })

/** Price bars and the indicators computed from them; its service is `BarService`. */
export const bars = defineDomain({ name: 'market', tools: barTools, resources: barResources })

/** The hours of the market; its service is `ClockService`. */
export const marketClock = defineDomain({ name: 'market', resources: clockResources })
