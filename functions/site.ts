import { siteHandler } from './runtime/site-handler.ts'

export const handler = siteHandler()
