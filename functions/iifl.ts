import { iifl } from '../lib/brokers/iifl/iifl.ts'
import { refreshHandler } from './runtime/refresh/refresh-handler.ts'

export const handler = refreshHandler(iifl)
