import { iiflXts } from '../lib/brokers/iifl-xts/iifl-xts.ts'
import { refreshHandler } from './runtime/refresh/refresh-handler.ts'

export const handler = refreshHandler(iiflXts)
