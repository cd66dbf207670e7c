import { composeRestFromEnvironment } from './runtime/site/rest-compose.ts'
import { siteHandler } from './runtime/site/site-handler.ts'

export const handler = siteHandler(composeRestFromEnvironment)
