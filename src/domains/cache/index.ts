import { defineDomain } from '../../mcp/define.js'
import * as resources from './resources.js'
import * as tools from './tools.js'

/** The cache as clients see it. */
export const cache = defineDomain({ name: 'cache', tools, resources })
