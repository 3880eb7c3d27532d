import { defineDomain } from '../../mcp/define.js'
import * as resources from './resources.js'
import * as tools from './tools.js'

export const sync = defineDomain({ name: 'sync', tools, resources })
