import { defineDomain } from '../../mcp/define.js'
import * as resources from './resources.js'

/** The cache as clients see it. */
export const cache = defineDomain({ name: 'cache', resources })
