import { part } from '../../kernel/part.js'
import { Database } from '../../platform/postgres/database.js'
import { cache } from '../cache/index.js'
import { schema } from '../migrations/index.js'
import * as barResources from './bars.resources.js'
import { BarService } from './bars.service.js'
import * as barTools from './bars.tools.js'
import * as clockResources from './clock.resources.js'
import { ClockService } from './clock.service.js'
import * as newsResources from './news.resources.js'
import { NewsService } from './news.service.js'
import * as newsTools from './news.tools.js'
import { keepPartitions } from './partition-keeper.js'
import { Partitions } from './partitions.js'
import { SecurityService } from './securities.service.js'

/** What is traded, by its symbol. */
export const securities = part({
  name: 'securities',
  start: ({ database }) => new SecurityService({ database }),
})

/** News and what follows from it. */
export const news = part({
  name: 'market',
  tasks: 'store a headline or many, read news by symbol, source or time, sentiment, who was first',
  tools: newsTools,
  resources: newsResources,
  start: ({ database, clock, the }) => {
    const service = new NewsService({ clock, database, cached: the(cache).reads })
    the(cache).warmFrom('news', async (symbol) => [service.firstPage(symbol)])
    the(cache).warmFrom('sentiment', async (symbol) => [service.sentiment(symbol)])
    return service
  },
})

/** Price bars and the indicators computed from them. */
export const prices = part({
  name: 'market',
  tasks: 'store price bars (OHLCV), read them and indicators such as RSI, SMA and ATR',
  tools: barTools,
  resources: barResources,
  start: (kernel) => {
    const { systems, database, clock, the } = kernel
    const own = new Database({ endpoint: systems.pooled, poolMax: 1 })
    const partitions = new Partitions({ database: own })
    kernel.onClose(() => partitions.close())
    keepPartitions({ ...kernel, partitions, migrated: the(schema).current })
    const service = new BarService({ database, securities: the(securities), clock, partitions })
    the(cache).warmFrom('indicators', (symbol) => service.indicators(symbol))
    return service
  },
})

/** The hours of the market. */
export const marketClock = part({
  name: 'market',
  tasks: 'is the market open, holidays, next open and close (market/clock)',
  resources: clockResources,
  start: ({ clock }) => new ClockService({ clock }),
})
