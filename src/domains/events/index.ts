import { defineDomain } from '../../mcp/define.js'
import * as resources from './resources.js'
import * as tools from './tools.js'

export const events = defineDomain({ name: 'events', tools, resources })
