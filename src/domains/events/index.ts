import { part } from '../../kernel/part.js'
import * as resources from './resources.js'
import { EventService } from './service.js'
import * as tools from './tools.js'

/** The replayable log of what happened. */
export const events = part({
  name: 'events',
  tools,
  resources,
  start: ({ database, eventLog, onDrain }) => {
    const service = new EventService({ database, log: eventLog })
    onDrain(() => service.stopWaiting())
    return service
  },
})
