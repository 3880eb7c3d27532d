import { part } from '../../kernel/part.js'
import { ExploreService } from './service.js'
import * as tools from './tools.js'

/** Resources for hosts that cannot read them by themselves. */
export const explore = part({
  name: 'explore',
  tools,
  start: ({ served }) =>
    new ExploreService({
      readResource: (uri, caller) => served().read(uri, caller),
      index: () => served().resourceIndex,
    }),
})
