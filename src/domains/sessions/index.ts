import { defineDomain } from '../../mcp/define.js'
import * as resources from './resources.js'
import * as tools from './tools.js'

export const sessions = defineDomain({ name: 'sessions', tools, resources })
