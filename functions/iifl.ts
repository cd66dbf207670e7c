import { iifl } from '../lib/brokers/iifl.ts'
import { refreshHandler } from './runtime/refresh-handler.ts'

export const handler = refreshHandler(iifl)
