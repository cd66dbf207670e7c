import { zerodha } from '../lib/brokers/zerodha/zerodha.ts'
import { refreshHandler } from './runtime/refresh/refresh-handler.ts'

export const handler = refreshHandler(zerodha)
