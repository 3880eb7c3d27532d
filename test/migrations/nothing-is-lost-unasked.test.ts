import { startApp } from '../support/app.js'
import { asBootstrap } from '../support/services.js'
import { tryAll } from './attacks/try-all.js'
import { OperatorFolder } from './operator-folder.js'

const folder = new OperatorFolder()
const app = await startApp({ env: folder.env })
await tryAll(app, folder.path, asBootstrap(app.database.url))
