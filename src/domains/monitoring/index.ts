import { defineDomain } from '../../mcp/define.js'
import * as resources from './resources.js'

export const monitoring = defineDomain({ name: 'monitoring', resources })
