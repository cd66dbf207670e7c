import { siteHandler } from './runtime/site/site-handler.ts'

export const handler = siteHandler()
