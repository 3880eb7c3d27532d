import { defineDomain } from '../../mcp/define.js'
import * as resources from './resources.js'
import * as tools from './tools.js'

export const migrations = defineDomain({ name: 'migrations', tools, resources })
