import { fyers } from '../lib/brokers/fyers/fyers.ts'
import { refreshHandler } from './runtime/refresh/refresh-handler.ts'

export const handler = refreshHandler(fyers)
