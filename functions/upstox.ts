import { upstox } from '../lib/brokers/upstox/upstox.ts'
import { refreshHandler } from './runtime/refresh/refresh-handler.ts'

export const handler = refreshHandler(upstox)
