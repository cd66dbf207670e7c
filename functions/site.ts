import { composePagesFromEnvironment } from './runtime/site/pages-compose.ts'
import { siteHandler } from './runtime/site/site-handler.ts'

export const handler = siteHandler(composePagesFromEnvironment)
