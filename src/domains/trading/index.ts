import { defineDomain } from '../../mcp/define.js'
import * as patternResources from './patterns.resources.js'
import * as patternTools from './patterns.tools.js'
import * as signalResources from './signals.resources.js'
import * as signalTools from './signals.tools.js'
import * as tradeResources from './trades.resources.js'
import * as tradeTools from './trades.tools.js'

/** Signals and what became of them; its service is `SignalService`. */
export const signals = defineDomain({
  name: 'trading',
  tools: signalTools,
  resources: signalResources,
})

/** Fills and the positions built from them; its service is `TradeService`. */
export const trades = defineDomain({
  name: 'trading',
  tools: tradeTools,
  resources: tradeResources,
})

/** Pattern detections and their outcomes; its service is `PatternService`. */
export const patterns = defineDomain({
  name: 'patterns',
  tools: patternTools,
  resources: patternResources,
})
