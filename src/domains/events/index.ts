import { part } from '../../kernel/part.js'
import { instantText } from '../../lib/utc-text.js'
import * as resources from './resources.js'
import { EventService } from './service.js'
import * as tools from './tools.js'

/** The replayable log of what happened. */
export const events = part({
  name: 'events',
  tasks: 'what happened and when, as a log that can be replayed from any cursor',
  tools,
  resources,
  start: ({ database, eventLog, check, onDrain }) => {
    check({
      name: 'events_failing',
      severity: 'warning',
      // While it is down nothing is committed that could be published.
      needsDatabase: true,
      look: () => {
        const since = eventLog.failingSince
        return since
          ? `Events have not been published since ${instantText(since)}; they are kept.`
          : null
      },
    })
    const service = new EventService({ database, log: eventLog })
    onDrain(() => service.stopWaiting())
    return service
  },
})
