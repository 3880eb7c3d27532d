import { part } from '../../kernel/part.js'
import { cache } from '../cache/index.js'
import { securities } from '../market/index.js'
import * as patternResources from './patterns.resources.js'
import { PatternService } from './patterns.service.js'
import * as patternTools from './patterns.tools.js'
import * as signalResources from './signals.resources.js'
import { SignalService } from './signals.service.js'
import * as signalTools from './signals.tools.js'
import * as tradeResources from './trades.resources.js'
import { TradeService } from './trades.service.js'
import * as tradeTools from './trades.tools.js'

/** Signals and what became of them. */
export const signals = part({
  name: 'trading',
  tasks: 'store a trading signal, change its status, list pending and executed ones',
  tools: signalTools,
  resources: signalResources,
  start: ({ config, database, clock, the }) =>
    new SignalService({ database, clock, securities: the(securities), risk: config.policy.risk }),
})

/** Fills and the positions built from them. */
export const trades = part({
  name: 'trading',
  tasks:
    'record a fill that has happened (no order is placed), read trades, positions, profit and loss',
  tools: tradeTools,
  resources: tradeResources,
  start: ({ config, database, clock, the }) => {
    const { learning } = config.policy
    return new TradeService({ database, clock, securities: the(securities), learning })
  },
})

/** Pattern detections and their outcomes. */
export const patterns = part({
  name: 'patterns',
  tasks: 'store a detected chart pattern and its outcome, success rates by pattern',
  tools: patternTools,
  resources: patternResources,
  start: ({ config, database, clock, the }) => {
    const service = new PatternService({
      database,
      clock,
      securities: the(securities),
      learning: config.policy.learning,
      cached: the(cache).reads,
    })
    the(cache).warmFrom('patterns', (symbol) => service.results(symbol))
    return service
  },
})
