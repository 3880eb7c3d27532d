import { defineDomain } from '../../mcp/define.js'
import * as tools from './news.tools.js'

/** News and what follows from it; its service is `NewsService`. */
export const market = defineDomain({ name: 'market', tools })
